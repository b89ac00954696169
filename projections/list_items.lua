-- A page of the items that exist, in id order, with their rows: one step, so nothing is missing
-- or there twice because of a write in between.
--   KEYS[1]  the current items   hash
--   KEYS[2]  the ids             zset, all scores 0
--   ARGV[1]  from here on: [<id> or (<id> or -
--   ARGV[2]  up to here:   (<id> or [<id> or +
--   ARGV[3]  at most so many, and fewer where rows are large, but one
--   ARGV[4]  where the counted range starts; it ends at ARGV[2]
-- Reply: how many there are in the counted range, whether others follow (1 or 0), then id, row,
-- id, row, ...

local MOST_BYTES = 8 * 1024 * 1024

local most = tonumber(ARGV[3])
local ids = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, most + 1)
local reply, taken, bytes = { redis.call('ZLEXCOUNT', KEYS[2], ARGV[4], ARGV[2]), 0 }, 0, 0
while taken < math.min(#ids, most) do
  local row = redis.call('HGET', KEYS[1], ids[taken + 1])
  bytes = bytes + (row and #row or 0)
  if taken > 0 and bytes > MOST_BYTES then
    break
  end
  taken = taken + 1
  reply[#reply + 1] = ids[taken]
  reply[#reply + 1] = row
end
reply[2] = taken < #ids and 1 or 0
return reply
