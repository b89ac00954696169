-- Compares parts of live histories with what they should be.
--
-- Begins with the texts of positions.lua, item_history.lua, tried.lua and history.lua.
--   KEYS[1]  the log
--   KEYS[2]  how the archive stands: where it has a border, histories lack what was trimmed
--   ARGV[1]  in front of an id: the key of its history
--   then three for each part:
--     the item
--     how many positions come before the part
--     the positions of the part, with blanks in between
-- Reply: for each that differs its number, from 0, and what is there.
--
-- A part of which something comes before it begins with a position that was compared before: where
-- that is tells where the others should be, once histories have lost what was trimmed.

local FIRST, EACH = 2, 3
local border, log = redis.call('HGET', KEYS[2], 'border'), part_in_stream(KEYS[1])

-- Where a part should be in a history, and what of it should be there.
local function place_of(history, before, positions)
  local first = string.match(positions, '^%S+')
  if not border then
    return before, positions
  elseif before == 0 or is_trimmed(log, first) then
    return place_in_history(log, history, nil, positions)
  end
  return math.max(0, place_after(history, first) - 1), positions
end

local wrong = {}
for i = FIRST, #ARGV, EACH do
  local history = ARGV[1] .. ARGV[i]
  local first, expected = place_of(history, tonumber(ARGV[i + 1]), ARGV[i + 2])
  local found = tried('LRANGE', history, first, first + count_of(expected) - 1)
  found = found.err and tostring(found.err) or table.concat(found, ' ')
  if found ~= expected and expected ~= '' then
    wrong[#wrong + 1] = (i - FIRST) / EACH
    wrong[#wrong + 1] = found
  end
end
return wrong
