-- Notes that a projection can't go on, unless somebody else has gone on with it.
--
--   KEYS[1]  how far the projection is: a hash
--   ARGV[1]  the position that it must be at
--   ARGV[2]  the position of the event that fails
--   ARGV[3]  how often it was tried
--   ARGV[4]  why it fails, in words
--   ARGV[5]  when it is tried again: milliseconds since 1970; empty where it is not
--   ARGV[6]  where the log goes on that was cut by hand before that event; empty where it was not
-- Reply: 1; 0, and nothing written, where it is at another position.

if (redis.call('HGET', KEYS[1], 'position') or '') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'failing', ARGV[2], 'tries', ARGV[3], 'reason', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'failures', 1)
if ARGV[5] == '' then
  redis.call('HSET', KEYS[1], 'stopped', 1)
  redis.call('HDEL', KEYS[1], 'next')
else
  redis.call('HSET', KEYS[1], 'next', ARGV[5])
end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'cut', ARGV[6])
end
return 1
