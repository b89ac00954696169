-- Takes a lease that nobody holds.
--   KEYS[1]  the lease
--   ARGV[1]  what it shall hold
--   ARGV[2]  for how many milliseconds
-- Reply: whether it is the caller's now.

if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('DEL', KEYS[1])  -- after it, an engine without memory takes the next too
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
