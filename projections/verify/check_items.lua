-- Reads the rows and the scores of some items, and finds histories that do not end as the row says.
--
-- Begins with the texts of positions.lua, item_history.lua, tried.lua and history.lua.
--   KEYS[1]  the rows
--   KEYS[2]  the ids
--   KEYS[3]  the log
--   KEYS[4]  how the archive stands: where it has a border, histories lack what was trimmed
--   ARGV[1]  in front of an id: the key of its history
--   then the items
-- Reply: the numbers, from 0, of items whose history does not have the row's position as the last
-- of as many as the row's version, or of fewer, where the first ones were trimmed; then, for as many
-- items as fit in, what HMGET and ZMSCORE say of some of them in turn: one where they are large, else
-- up to 16.

local FIRST, CHUNK, LARGE, MOST_BYTES = 2, 16, 64 * 1024, 1024 * 1024

-- What the command says of some items; its error for each of them, where it fails.
local function said(command, key, first, last)
  local found = tried(command, key, unpack(ARGV, first, last))
  if not found.err then
    return found
  end
  local errors = {}
  for i = first, last do
    errors[#errors + 1] = tostring(found.err)
  end
  return errors
end

local border, log = redis.call('HGET', KEYS[4], 'border'), part_in_stream(KEYS[3])

local function ends_as_said(item, row)
  local version, position = string.match(row, '^{"version":(%d+),"position":"([%d-]+)"')
  if not version then
    return false
  end
  if border then
    return ends_with(log, ARGV[1] .. item, tonumber(version), position)
  end
  return ends_whole(ARGV[1] .. item, version, position)
end

local wrong, reply, bytes, first, at_once = {}, {}, 0, FIRST, 1
while first <= #ARGV and bytes < MOST_BYTES do
  local last, before = math.min(first + at_once - 1, #ARGV), bytes
  local rows = said('HMGET', KEYS[1], first, last)
  for i, row in ipairs(rows) do
    bytes = bytes + (row and #row or 0)
    if not row or not ends_as_said(ARGV[first + i - 1], row) then
      wrong[#wrong + 1] = first - FIRST + i - 1
    end
  end
  reply[#reply + 1] = rows
  reply[#reply + 1] = said('ZMSCORE', KEYS[2], first, last)
  first, at_once = last + 1, bytes - before > LARGE and 1 or math.min(4 * at_once, CHUNK)
end
return { wrong, unpack(reply) }
