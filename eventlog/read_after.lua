-- Entries of the log after a position, as many as are small together.
--
-- Begins with the texts of positions.lua, border.lua, entries.lua and wanted.lua.
--   KEYS[1]  the log
--   KEYS[2]  how the archive stands
--   ARGV[1]  the position
--   ARGV[2]  at most so many entries in the reply
--   ARGV[3]  at most so many that it looks at
--   ARGV[4]  at most so many bytes that it looks at, but one entry all the same
--   ARGV[5]  only entries of this type; empty: all
--   then up to 32 prefixes: only entries of items whose id begins with one of them; none: all
-- Reply: the position up to which it looked, how many entries it looked at, 1 where the log ends
-- there and 0 where it goes on, then the entries, each as XRANGE has it. The border alone where that is
-- after the position: the log may lack what comes then.
--
-- XRANGE alone knows no bound of bytes: 500 entries may be half a gigabyte.

local border = border_after(KEYS[2], ARGV[1])
if border then
  return { border }
end

local MOST = 32

local most, most_looked, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local is_wanted = wanting(ARGV[5], 6)
local place, looked, bytes, step = ARGV[1], 0, 0, 1
local reply, at_end, is_full = { place, 0, 0 }, false, false

while not (at_end or is_full) do
  local asked = math.min(step, most_looked - looked)
  local some = redis.call('XRANGE', KEYS[1], '(' .. place, '+', 'COUNT', asked)
  for _, entry in ipairs(some) do
    local size = size_of(entry[2])
    if looked > 0 and bytes + size > most_bytes then
      is_full = true
      break
    end
    place, looked, bytes = entry[1], looked + 1, bytes + size
    if is_wanted(entry[2]) then
      reply[#reply + 1] = entry
      if #reply - 3 == most then
        is_full = true
        break
      end
    end
  end
  at_end = not is_full and #some < asked
  is_full = is_full or looked >= most_looked or bytes >= most_bytes
  local fit = math.floor((most_bytes - bytes) * looked / (bytes + 1))
  step = math.max(1, math.min(MOST, 4 * step, fit))
end

reply[1], reply[2], reply[3] = place, looked, at_end and 1 or 0
return reply
