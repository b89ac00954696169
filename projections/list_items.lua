-- A page of the items that exist, in id order, with their rows: one step, so nothing is missing
-- or there twice because of a write in between.
--   KEYS[1]  the current items   hash
--   KEYS[2]  the ids             zset, all scores 0
--   KEYS[3]  the log             stream
--   ARGV[1]  from here on: [<id> or (<id> or -
--   ARGV[2]  up to here:   (<id> or [<id> or +
--   ARGV[3]  at most so many, and fewer where rows are large, but one
--   ARGV[4]  where the counted range starts; it ends at ARGV[2]
-- Reply: the log's last position, 0-0 where it has none, how many there are in the counted range,
-- whether others follow (1 or 0), the ids, and the rows, nil for an id without one.

local FIRST, MOST, MOST_BYTES = 8, 16, 8 * 1024 * 1024

local most = tonumber(ARGV[3])
local ids = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, most + 1)
local wanted = math.min(#ids, most)
local rows, taken, bytes, step, is_full = {}, 0, 0, FIRST, false
while taken < wanted and not is_full do
  local some = redis.call('HMGET', KEYS[1], unpack(ids, taken + 1, math.min(taken + step, wanted)))
  for _, row in ipairs(some) do
    bytes = bytes + (row and #row or 0)
    is_full = taken > 0 and bytes > MOST_BYTES
    if is_full then
      break
    end
    taken = taken + 1
    rows[taken] = row
  end
  -- Going by the rows before them; where the next ones are larger, a step too many is read.
  step = math.max(1, math.min(MOST, math.floor((MOST_BYTES - bytes) * taken / (bytes + 1))))
end
local more = taken < #ids and 1 or 0
for i = #ids, taken + 1, -1 do
  ids[i] = nil
end
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
local total = redis.call('ZLEXCOUNT', KEYS[2], ARGV[4], ARGV[2])
return { last and last[1] or '0-0', total, more, ids, rows }
