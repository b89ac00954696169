-- Begins the log of a collection whose older part stays in the archive: it is as if all events had
-- been in it and those of the older part were trimmed.
--   KEYS[1]  what is restored, and how far: a hash
--   KEYS[2]  the log, which has no event yet
--   KEYS[3]  how many of its events were trimmed: a string
--   ARGV[1]  how many were: at least one
-- Reply: 1, also where this was done before.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return redis.error_reply('RESTOREMOVED')
elseif redis.call('EXISTS', KEYS[3]) == 1 then
  return 1
end

-- A key with no event in it, to which XSETID can say how many there were. A fake has no XSETID: there
-- the events come and go.
redis.call('XADD', KEYS[2], '0-1', 'a', 'b')
local known = redis.pcall('XSETID', KEYS[2], '0-1', 'ENTRIESADDED', ARGV[1])
if known.err then
  for number = 2, tonumber(ARGV[1]) do
    redis.call('XADD', KEYS[2], '0-' .. string.format('%d', number), 'a', 'b')
  end
end
redis.call('XTRIM', KEYS[2], 'MAXLEN', '=', '0')
redis.call('SET', KEYS[3], ARGV[1])
return 1
