-- Takes things from several sources in the order of their positions.
--
-- Goes on after the text of positions.lua. It takes no key and no argument itself. A source is a table;
-- it waits with the position of what it has next.

local waiting = {}  -- the one with the earliest position stands last

local function wait(source, position)
  local key = key_of(position)
  local low, high = 1, #waiting + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if waiting[middle].key > key then
      low = middle + 1
    else
      high = middle
    end
  end
  source.position, source.key = position, key
  table.insert(waiting, low, source)
end

-- The source whose turn it is, and the key at which that of the next one comes, if there is one.
local function take_earliest()
  local source = table.remove(waiting)
  return source, #waiting > 0 and waiting[#waiting].key
end
