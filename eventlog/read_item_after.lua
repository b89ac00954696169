-- Entries of an item after a position, in the order of their positions, as many as are small
-- together: of the items of that id in one collection, or in several.
--
-- Begins with the texts of positions.lua, border.lua, entries.lua, wanted.lua, in_order.lua and
-- item_history.lua.
--   KEYS     the logs, then as many histories of the item, in the same order, and how the archive stands
--   ARGV[1]  the position
--   ARGV[2]  at most so many entries in the reply
--   ARGV[3]  at most so many that it looks at
--   ARGV[4]  at most so many bytes that it looks at, but one entry all the same
--   ARGV[5]  only entries of this type; empty: all
-- Reply: the position up to which it looked, how many entries it looked at, 1 where all histories end
-- there and 0 where one goes on, then the entries that were not removed, each as XRANGE has it with
-- the number of its log, from 1, as a third member. The border alone where that is after the position:
-- the histories may lack what comes then.

local border = border_after(KEYS[#KEYS], ARGV[1])
if border then
  return { border }
end

local AT_ONCE = 16

local most, most_looked, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local is_wanted = wanting(ARGV[5], 6)
local place, looked, bytes, is_full = ARGV[1], 0, 0, false
local reply = { place, 0, 0 }

-- Notes the positions that come next in a history, if there are any.
local function fetch(item)
  local last = item.version + AT_ONCE - 1
  item.positions, item.next = redis.call('LRANGE', item.history, item.version, last), 1
  item.version = item.version + #item.positions
  if item.positions[1] then
    wait(item, item.positions[1])
  end
end

local count = (#KEYS - 1) / 2
for number = 1, count do
  local history = KEYS[count + number]
  if redis.call('EXISTS', history) == 1 then
    fetch({ number = number, history = history, version = count_at(history, place) })
  end
end

while #waiting > 0 and not is_full do
  local item = take_earliest()
  local entry = redis.call('XRANGE', KEYS[item.number], item.position, item.position)[1]
  local size = entry and size_of(entry[2]) or 0
  if looked > 0 and bytes + size > most_bytes then
    is_full = true
    break
  end
  place, looked, bytes, item.next = item.position, looked + 1, bytes + size, item.next + 1
  if entry and is_wanted(entry[2]) then
    entry[3] = item.number
    reply[#reply + 1] = entry
  end
  is_full = looked >= most_looked or bytes >= most_bytes or #reply - 3 == most
  if item.positions[item.next] then
    wait(item, item.positions[item.next])
  elseif not is_full then
    fetch(item)
  end
end

reply[1], reply[2], reply[3] = place, looked, is_full and 0 or 1
return reply
