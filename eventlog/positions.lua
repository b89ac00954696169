-- How positions are compared.
--
-- Scripts that compare them begin with this text. It takes no key and no argument itself.

local ZEROS = string.rep('0', 20)

-- What compares as a position does: digits of one length. Positions have up to 20 digits, and Lua's
-- numbers are exact up to 15.
local function key_of(position)
  local ms, number = string.match(position, '^(%d+)-(%d+)$')
  return string.sub(ZEROS, #ms + 1) .. ms .. string.sub(ZEROS, #number + 1) .. number
end
