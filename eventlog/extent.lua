-- Where logs begin and end. XINFO has the first and the last event with their bodies, which stay in
-- the engine here.
--
-- Begins with the text of entries.lua.
--   KEYS     the logs, and then as many keys that say how many were trimmed, in the same order
--   ARGV[1]  at most so many bytes of events that it looks at, but one log all the same
-- Reply: for each of the first logs, for at least one, its first position and its last, both 0-0
-- where there is no event, how many events there are, how many were ever appended, the last position
-- that was ever given, and how many were trimmed.

local reply, bytes = {}, 0
local count = #KEYS / 2
for number = 1, count do
  local log = KEYS[number]
  local trimmed = tonumber(redis.call('GET', KEYS[count + number]) or 0) or 0
  if redis.call('EXISTS', log) == 0 then
    reply[number] = { '0-0', '0-0', 0, 0, '0-0', trimmed }
  else
    local found = info_of(log)
    local first, last = found['first-entry'], found['last-entry']
    reply[number] = { first and first[1] or '0-0', last and last[1] or '0-0', found['length'],
      found['entries-added'], found['last-generated-id'], trimmed }
    bytes = bytes + (first and size_of(first[2]) or 0) + (last and size_of(last[2]) or 0)
  end
  if bytes >= tonumber(ARGV[1]) then
    break
  end
end
return reply
