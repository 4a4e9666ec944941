"""The messages and stubs of relay.v1, made by sdk/make-stubs.sh."""
