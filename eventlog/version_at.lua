-- How many of an item's events there were at a position: the version the item then had.
--   KEYS[1]  the item's history: a list of positions, oldest first
--   ARGV[1]  milliseconds of the position, without zeroes in front, as all of them are
--   ARGV[2]  its number within the millisecond
-- Reply: the version, 0 where its first event came later.
--
-- A binary search: 17 looks for 100,000 versions.

local ms, number = ARGV[1], ARGV[2]

-- As text: both have up to 20 digits, and Lua's numbers are exact up to 15.
local function is_more(digits, than)
  return #digits > #than or (#digits == #than and digits > than)
end

local function is_later(position)
  local at, index = string.match(position, '^(%d+)-(%d+)$')
  return is_more(at, ms) or (at == ms and is_more(index, number))
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
