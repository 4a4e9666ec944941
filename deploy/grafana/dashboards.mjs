// The dashboards: rows of panels, each with the question that it answers. make.mjs makes Grafana's JSON of them; a test runs every query
// against a Prometheus that scrapes a server under load.
//
// panel: title, question, type, unit, [[query, legend] ...]; needs: what a server must have for it (a cluster, PostgreSQL, TLS, a bridge).

const rate = (metric, by) => `sum by (${by}) (rate(${metric}[$__rate_interval]))`;
const increase = (metric, by, over = '15m') => `sum by (${by}) (increase(${metric}[${over}]))`;
const quantile = (q, metric, by = '', labels = '') =>
  `histogram_quantile(${q}, sum by (le${by ? `, ${by}` : ''}) (rate(${metric}_bucket${labels}[$__rate_interval])))`;
const most = (metric, by) => `max by (${by}) (${metric})`;
const panel = (title, question, type, unit, queries, needs) => ({ title, question, type, unit, queries, needs });
const lines = (title, question, unit, queries, needs) => panel(title, question, 'timeseries', unit, queries, needs);

export const dashboards = {
  'relay-overview': {
    title: 'Relay / Overview',
    rows: {
      'Is it delivering?': [
        panel('Objectives, 5 min', 'Does any objective burn its budget now?', 'stat', 'percentunit', [
          ['1 - relay:wire_in:error_ratio5m', 'wire taken'], ['1 - relay:send:error_ratio5m', 'sends taken'],
          ['1 - relay:delivery:slow_ratio5m', 'in time, {{direction}}']]),
        lines('Traffic', 'How much comes in and goes out?', 'msg/s', [
          [rate('relay_wire_received_total', 'outcome'), 'wire {{outcome}}'], [rate('relay_message_sends_total', 'outcome'), 'send {{outcome}}']]),
        lines('Failures of the relay', 'What do bots and bridges have to repeat?', 'msg/s', [
          ['sum(rate(relay_wire_received_total{outcome="failed"}[$__rate_interval]))', 'wire'],
          ['sum(rate(relay_message_sends_total{outcome="failed"}[$__rate_interval]))', 'sends'],
          [rate('relay_admission_rejections_total', 'limit'), '{{limit}}']]),
        lines('Delivery time', 'How long from the commit to the reader?', 's', [
          [quantile(0.5, 'relay_delivery_duration_seconds', 'direction'), 'p50 {{direction}}'],
          [quantile(0.99, 'relay_delivery_duration_seconds', 'direction'), 'p99 {{direction}}']]),
      ],
      'What is called, what fails?': [
        lines('Calls by method', 'What is called?', 'reqps', [[rate('rpc_server_call_duration_seconds_count', 'rpc_method'), '{{rpc_method}}']]),
        lines('Errors by status', 'What fails, and whose fault is it?', 'reqps', [
          [rate('rpc_server_call_duration_seconds_count{rpc_status_code!="OK"}', 'rpc_status_code'), '{{rpc_status_code}}']]),
        lines('Unary latency, p99', 'Which method is slow?', 's', [
          [quantile(0.99, 'rpc_server_call_duration_seconds', 'rpc_method', '{relay_call_kind="unary"}'), '{{rpc_method}}']]),
        lines('Denied', 'Who is turned away, and why?', 'reqps', [
          [rate('relay_auth_denials_total', 'reason'), '{{reason}}'], [rate('relay_caller_faults_total', 'kind'), '{{kind}}']]),
      ],
      'Which bound comes first?': [
        lines('Use of bounds', 'How much of what may be under way is?', 'percentunit', [[most('relay_admission_utilization', 'instance, limit'), '{{instance}} {{limit}}']]),
        lines('CPU', 'Is a node busy?', 'cores', [[rate('dotnet_process_cpu_time_seconds_total', 'instance'), '{{instance}}']]),
        lines('Memory', 'Does memory grow?', 'bytes', [['dotnet_process_memory_working_set_bytes', '{{instance}}']]),
        lines('Ready', 'Does each node take work?', 'short', [['min by (instance) (relay_health_status)', '{{instance}}']]),
      ],
    },
  },
  'relay-delivery': {
    title: 'Relay / Delivery',
    rows: {
      'Who waits?': [
        lines('Oldest not acknowledged', 'Is somebody waiting?', 's', [[most('relay_stream_oldest_unacknowledged_age_seconds', 'relay_stream'), '{{relay_stream}}']]),
        lines('Backlog', 'How much waits?', 'short', [[most('relay_stream_backlog', 'relay_stream'), '{{relay_stream}}']]),
        lines('Stalled', 'How many bots or bridges are away?', 'short', [[most('relay_stream_stalled', 'relay_stream'), '{{relay_stream}}']]),
        lines('Open streams', 'Who is connected?', 'short', [['sum by (relay_stream) (relay_stream_active)', '{{relay_stream}}']]),
        lines('Delivered', 'How much do readers take?', 'msg/s', [[rate('relay_stream_deliveries_total', 'relay_stream'), '{{relay_stream}}']]),
        lines('Dead letters', 'What was given up?', 'short', [[increase('relay_stream_dead_letters_total', 'relay_stream', '1h'), '{{relay_stream}}']]),
        lines('Deadlines', 'Are timers kept?', 's', [['max(relay_deadline_lag_seconds)', 'latest']]),
      ],
      'Are networks reached?': [
        panel('Connected', 'Is each network reached?', 'stat', 'short', [[most('relay_bridge_connected', 'bridge'), '{{bridge}}']], 'a bridge'),
        lines('From networks', 'What becomes of it?', 'msg/s', [[rate('relay_bridge_inbound_total', 'bridge, result'), '{{bridge}} {{result}}']], 'a bridge'),
        lines('To networks', 'What becomes of it?', 'msg/s', [[rate('relay_bridge_outbound_total', 'bridge, result'), '{{bridge}} {{result}}']], 'a bridge'),
        lines('Held by bridges', 'Does a network not confirm?', 'short', [[most('relay_bridge_outbound_held', 'bridge'), '{{bridge}}']], 'a bridge'),
        lines('Connections that ended', 'Does a network flap?', 'short', [[increase('relay_bridge_disconnects_total', 'bridge, kind'), '{{bridge}} {{kind}}']], 'a bridge'),
      ],
    },
  },
  'relay-otr': {
    title: 'Relay / OTR and security',
    rows: {
      'Is the protocol healthy?': [
        lines('Received by type', 'What do peers send?', 'msg/s', [[rate('otr_messages_total{direction="received"}', 'type, version'), '{{type}} {{version}}']]),
        lines('Rejected by reason', 'What is thrown away?', 'msg/s', [[rate('otr_rejects_total', 'reason'), '{{reason}}']]),
        lines('Unreadable share', 'Are messages lost or forged?', 'percentunit', [
          ['sum(rate(otr_rejects_total{reason=~"bad_mac|bad_signature|unknown_key_id|replay|commit_mismatch|invalid_group_element"}[$__rate_interval])) '
            + '/ sum(rate(otr_messages_total{direction="received",type="data"}[$__rate_interval]))', 'share']]),
        lines('Verifications', 'Do they succeed?', 'short', [[increase('otr_smp_duration_seconds_count', 'outcome'), '{{outcome}}']]),
        lines('Sessions begun and ended', 'Do sessions last?', 'short', [
          [increase('otr_sessions_established_total', 'version, trust'), 'begun: {{version}}, {{trust}}'],
          [increase('otr_sessions_ended_total', 'cause'), 'ended: {{cause}}']]),
        lines('Refusals', 'What do bots ask in the wrong state?', 'reqps', [[rate('otr_refusals_total', 'reason'), '{{reason}}']]),
      ],
      'Is somebody at work?': [
        lines('Changed keys', 'Did keys of peers change?', 'short', [[increase('otr_fingerprint_changes_total', 'trust', '1h'), 'was {{trust}}']]),
        lines('Text in the clear', 'Where none is allowed?', 'short', [[increase('otr_policy_violations_total', 'kind', '1h'), '{{kind}}']]),
        lines('Seal failures', 'Was stored data touched?', 'short', [[increase('relay_seal_failures_total', 'table', '1h'), '{{table}}']]),
        panel('Days left', 'What ends soon?', 'stat', 'd', [['(min by (use) (relay_certificate_not_after_seconds) - time()) / 86400', '{{use}}']], 'a certificate'),
      ],
    },
  },
  'relay-cluster': {
    title: 'Relay / Cluster and store',
    rows: {
      'Do nodes agree?': [
        lines('Members that each node sees', 'Do nodes agree?', 'short', [
          ['relay_cluster_members{state="up"}', 'up: {{instance}}'], ['relay_cluster_unreachable', 'unreachable: {{instance}}']], 'a cluster'),
        lines('Shards', 'Is every shard owned, once?', 'short', [
          ['relay_shard_owned', '{{instance}}'], ['sum(relay_shard_owned)', 'all'], ['max(relay_shard_limit)', 'should be']], 'a cluster'),
        lines('Fenced', 'Was a node kept from doing harm?', 'short', [[increase('relay_store_fenced_total', 'instance, operation'), '{{instance}} {{operation}}']]),
      ],
      'Where does the time go?': [
        lines('Conversations, p99', 'Computing or commit?', 's', [
          [quantile(0.99, 'relay_conversation_ask_duration_seconds'), 'asked to answered'],
          [quantile(0.99, 'relay_conversation_step_duration_seconds'), 'computing'],
          [quantile(0.99, 'relay_store_commit_duration_seconds'), 'commit']]),
        lines('Commands', 'What becomes of them?', 'reqps', [[rate('relay_conversation_commands_total', 'outcome'), '{{outcome}}']]),
        lines('In memory', 'Is memory thrashing?', 'short', [
          ['sum(relay_conversation_resident)', 'resident'], ['sum(rate(relay_conversation_activations_total[$__rate_interval]))', 'loaded/s'],
          ['sum(rate(relay_conversation_passivations_total[$__rate_interval]))', 'released/s']]),
      ],
      'Is the database well, what grows?': [
        lines('Commits', 'How many, how large?', 'short', [
          ['sum(rate(relay_store_commit_duration_seconds_count[$__rate_interval]))', 'transactions/s'],
          ['sum(rate(relay_store_commit_units_sum[$__rate_interval])) / sum(rate(relay_store_commit_units_count[$__rate_interval]))', 'units each']]),
        lines('Failures and conflicts', 'Does the database refuse?', 'short', [
          [increase('relay_store_commit_failures_total', 'error_type'), '{{error_type}}'], ['sum(increase(relay_store_conflicts_total[15m]))', 'conflicts']]),
        lines('Holdings', 'What grows?', 'short', [['max(relay_endpoints)', 'endpoints'], ['max(relay_conversations)', 'conversations']]),
        lines('Size on disk', 'What grows?', 'bytes', [['max(relay_store_size_bytes)', 'size']]),
      ],
    },
  },
};
