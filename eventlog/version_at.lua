-- How many of an item's events there were at a position: the version the item then had.
--   KEYS[1]  the item's history: a list of positions, oldest first
--   ARGV[1]  milliseconds of the position
--   ARGV[2]  its number within the millisecond
-- Reply: the version, 0 where its first event came later.
--
-- A binary search: 17 looks for 100,000 versions.

local ms, number = tonumber(ARGV[1]), tonumber(ARGV[2])

local function is_later(position)
  local at, index = string.match(position, '^(%d+)-(%d+)$')
  at, index = tonumber(at), tonumber(index)
  return at > ms or (at == ms and index > number)
end

local low, high = 0, redis.call('LLEN', KEYS[1])
while low < high do
  local middle = math.floor((low + high) / 2)
  if is_later(redis.call('LINDEX', KEYS[1], middle)) then
    high = middle
  else
    low = middle + 1
  end
end
return low
