-- Reads the rows and the scores of some items, and compares the ends of their histories with what
-- these should be.
--   KEYS[1]  the rows
--   KEYS[2]  the ids
--   ARGV[1]  in front of an id: the key of its history
--   ARGV[2]  how many items there are
--   then the items
--   then two for each item:
--     how many positions come before the end of its history that is compared
--     the positions of that end, with blanks in between; nothing where it is not to be compared
-- Reply: the numbers, from 0, of items whose histories do not end like this; then, for as many items
-- as fit in, what HMGET and ZMSCORE say of each 16 of them in turn.

local FIRST, CHUNK, MOST_BYTES = 3, 16, 1024 * 1024
local count = tonumber(ARGV[2])

-- One position more is read than there should be.
local function ends_with(item, before, expected)
  local blanks = 0
  if string.find(expected, ' ', 1, true) then
    blanks = select(2, string.gsub(expected, ' ', ' '))
  end
  local found = redis.pcall('LRANGE', ARGV[1] .. item, before, before + blanks + 1)
  return not found.err and table.concat(found, ' ') == expected
end

-- What the command says of some items; its error for each of them, where it fails.
local function said(command, key, first, last)
  local found = redis.pcall(command, key, unpack(ARGV, first, last))
  if not found.err then
    return found
  end
  local errors = {}
  for i = first, last do
    errors[#errors + 1] = tostring(found.err)
  end
  return errors
end

local wrong, reply, bytes, done = {}, {}, 0, 0
while done < count and bytes < MOST_BYTES do
  local last = math.min(done + CHUNK, count)
  for i = done, last - 1 do
    local place = FIRST + count + 2 * i
    if ARGV[place + 1] ~= '' and not ends_with(ARGV[FIRST + i], ARGV[place], ARGV[place + 1]) then
      wrong[#wrong + 1] = i
    end
  end
  local rows = said('HMGET', KEYS[1], FIRST + done, FIRST + last - 1)
  for _, row in ipairs(rows) do
    bytes = bytes + (row and #row or 0)
  end
  reply[#reply + 1] = rows
  reply[#reply + 1] = said('ZMSCORE', KEYS[2], FIRST + done, FIRST + last - 1)
  done = last
end
return { wrong, unpack(reply) }
