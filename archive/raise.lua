-- Moves on how far the archive is: what it holds all up to (`sealed`), or what readers ask it up to
-- (`border`). It never moves back.
--
-- Begins with the texts of positions.lua and same_event.lua. The log has to have an event at that
-- position, the one that the archive has: then it has all that the archive has before it as well,
-- after a failover too.
--   KEYS[1]  how the archive stands: a hash
--   KEYS[2]  the log of the event
--   ARGV[1]  the archive's id
--   ARGV[2]  sealed or border
--   ARGV[3]  the position
--   ARGV[4]  the event: names and values of its entry with a line feed between them
--   then names and values of what else is noted with it
-- Reply: 1 where it is there now or further on, 0 where the log has no such event; an error, and
-- nothing done, where the store has another archive.

local archive = redis.call('HGET', KEYS[1], 'archive')
if archive ~= ARGV[1] then
  return redis.error_reply('OTHERARCHIVE ' .. (archive or ''))
end
local before = redis.call('HGET', KEYS[1], ARGV[2])
if before and key_of(before) > key_of(ARGV[3]) then
  return 1
elseif not is_there(KEYS[2], ARGV[3], ARGV[4]) then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[2])  -- after it, an engine without memory takes the next too
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
if ARGV[5] then
  redis.call('HSET', KEYS[1], unpack(ARGV, 5))
end
return 1
