-- Compares parts of live histories with what they should be.
--   ARGV[1]  in front of an id: the key of its history
--   then three for each part:
--     the item
--     how many positions come before the part
--     the positions of the part, with blanks in between
-- Reply: for each that differs its number, from 0, and what is there.

local FIRST, EACH = 2, 3

local wrong = {}
for i = FIRST, #ARGV, EACH do
  local first, expected = tonumber(ARGV[i + 1]), ARGV[i + 2]
  local _, blanks = string.gsub(expected, ' ', ' ')
  local found = redis.pcall('LRANGE', ARGV[1] .. ARGV[i], first, first + blanks)
  found = found.err and tostring(found.err) or table.concat(found, ' ')
  if found ~= expected then
    wrong[#wrong + 1] = (i - FIRST) / EACH
    wrong[#wrong + 1] = found
  end
end
return wrong
