-- Closes an idempotency key in a partition for which it was claimed: from then on nothing is appended
-- there under it, however late it comes, as to append.lua the key is known. An outcome stays.
--   KEYS[1]  the idempotency key, in that partition
--   ARGV[1]  what it is to hold: `closed`, a blank, and a text that no other closing has
--   ARGV[2]  how long that is kept, in milliseconds
-- Reply: 1 where it is closed, 0 where it has an outcome.
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 7) ~= 'closed ' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
