-- The entries of the log at positions, as many as are small together.
--
-- Begins with the text of entries.lua.
--   KEYS[1]  the log
--   KEYS[2]  how the archive stands
--   ARGV[1]  at most so many bytes that it looks at, but one entry all the same
--   ARGV[2]  1: with bodies; 0: only the first byte of each
--   ARGV[3]  only entries of this type; empty: all
--   then the positions
-- Reply: the border, nil where there is none; then for each of the first positions, at least one, the
-- entry as XRANGE has it, nil where there is none, and 0 where it is of another type.

local FIRST = 4

local most_bytes, with_bodies = tonumber(ARGV[1]), ARGV[2] == '1'
local reply, bytes = { redis.call('HGET', KEYS[2], 'border') }, 0
for i = FIRST, #ARGV do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1] or false
  if entry then
    local fields = entry[2]
    local size = size_of(fields)
    if i > FIRST and bytes + size > most_bytes then
      break
    end
    bytes = bytes + size
    if ARGV[3] ~= '' and fields[2] ~= ARGV[3] then
      entry = 0
    elseif not with_bodies and fields[7] == 'data' then
      fields[8] = string.sub(fields[8], 1, 1)
    end
  end
  reply[#reply + 1] = entry
end
return reply
