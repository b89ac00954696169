-- Asks for an operation to be cancelled; who asked first stays.
--   KEYS[1]  the lease of the one that runs: its id, and after a blank who cancels it
--   ARGV[1]  the id of the operation
--   ARGV[2]  the same, with a blank and who cancels it after it
-- Reply: whether it is running.

local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%S*') ~= ARGV[1] then
  return 0
end
if held == ARGV[1] then
  local lifetime = redis.call('PTTL', KEYS[1])
  redis.call('DEL', KEYS[1])  -- after it, an engine without memory takes the next too
  redis.call('SET', KEYS[1], ARGV[2], 'PX', math.max(lifetime, 1))
end
return 1
