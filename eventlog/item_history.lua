-- What an item's history says: a list of positions, oldest first.
--
-- Goes on after the text of positions.lua. It takes no key and no argument itself.

-- How many of the positions in the history are no later than one: the place of the next.
--
-- A binary search: 17 looks for 100,000 positions.
local function count_at(history, position)
  local key = key_of(position)
  local low, high = 0, redis.call('LLEN', history)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if key_of(redis.call('LINDEX', history, middle)) > key then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end
