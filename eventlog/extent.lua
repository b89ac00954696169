-- Where logs begin and end. XINFO has the first and the last event with their bodies, which stay in
-- the engine here.
--
-- Begins with the text of entries.lua.
--   KEYS     the logs
--   ARGV[1]  at most so many bytes of events that it looks at, but one log all the same
-- Reply: for each of the first logs, for at least one, its first position and its last, both 0-0
-- where there is no event, how many events there are, how many were ever appended, and the last
-- position that was ever given.

local reply, bytes = {}, 0
for number, log in ipairs(KEYS) do
  if redis.call('EXISTS', log) == 0 then
    reply[number] = { '0-0', '0-0', 0, 0, '0-0' }
  else
    local found = info_of(log)
    local first, last = found['first-entry'], found['last-entry']
    reply[number] = { first and first[1] or '0-0', last and last[1] or '0-0', found['length'],
      found['entries-added'], found['last-generated-id'] }
    bytes = bytes + (first and size_of(first[2]) or 0) + (last and size_of(last[2]) or 0)
  end
  if bytes >= tonumber(ARGV[1]) then
    break
  end
end
return reply
