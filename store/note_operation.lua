-- Notes how far an operation is, and that it is still running.
--   KEYS[1]  the lease of the one that runs: its id, and after a blank who cancels it
--   KEYS[2]  the operations: a hash from id to what is known of each, JSON
--   ARGV[1]  the id of the operation
--   ARGV[2]  what is known of it; empty for what is known already
--   ARGV[3]  for how many milliseconds it is taken to be running, unless it says so again
-- Reply: what the lease holds; nothing where it is no longer this one's, and nothing is noted then.

local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%S*') ~= ARGV[1] then
  return false
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])  -- after it, an engine without memory takes the next too
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
return held
