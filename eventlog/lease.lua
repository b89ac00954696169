-- Renews a lease, or gives it up.
--   KEYS[1]  the lease
--   ARGV[1]  what it holds if it is still the caller's
--   ARGV[2]  what it shall hold then
--   ARGV[3]  for how many milliseconds; 0 gives it up
-- Reply: whether it was still the caller's; otherwise nothing is done.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])  -- after it, an engine without memory takes the next too
if ARGV[3] ~= '0' then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
