-- What D. Goulet's mod_otr does with otr_policy = "mandatory", as it was measured: a message whose body does not begin with ?OTR is
-- swallowed, in both directions and from components too, an empty body as well; its sender is told by a message from the host.
local st = require "util.stanza";

local function require_otr(event)
	local stanza = event.stanza;
	local body = stanza:get_child("body");
	-- What the host says itself is not subject to it.
	if not body or stanza.attr.type == "error" or stanza.attr.from == module.host then return; end
	if (body:get_text() or ""):sub(1, 4) == "?OTR" then return; end
	module:send(st.message({ from = module.host, to = stanza.attr.from, type = "chat" },
		"For security reasons, OTR encryption is required for conversations on this server"));
	return true;
end

for _, hook in ipairs { "pre-message/bare", "pre-message/full", "pre-message/host", "message/bare", "message/full" } do
	module:hook(hook, require_otr, 300);
end
