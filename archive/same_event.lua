-- Whether a log has an event, and the very one: on both sides of a failover the same position may
-- have been given, to different events.
--
-- Scripts go on with this text. It takes no key and no argument itself. `text` is the entry's names
-- and values with a line feed between them.
local function is_there(log, position, text)
  local entry = redis.call('XRANGE', log, position, position)[1]
  return entry ~= nil and table.concat(entry[2], '\n') == text
end
