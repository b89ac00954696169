-- Reads what is live of some items, and what the log got since: all at one moment.
--
-- Begins with the texts of positions.lua and tried.lua.
--   KEYS[1]  the log
--   KEYS[2]  the rows
--   KEYS[3]  the ids
--   KEYS[4]  how the archive stands: where it has a border, histories lack what was trimmed
--   ARGV[1]  in front of an id: the key of its history
--   ARGV[2]  the position after which the log is new
--   then the items
-- Reply: the new entries; 0 where there are more of them, or 2 where the log may lack some, as the
-- border has passed the position, and then nothing else, or 1; the number of rows, the number of ids;
-- where the stream begins, empty where histories are whole; row or nil, score or nil, length of the
-- history, and its last two positions, for each item, for as many as fit in.

local FIRST, CHUNK, MOST_ENTRIES, MOST_BYTES = 3, 16, 1000, 1024 * 1024

local border = redis.call('HGET', KEYS[4], 'border')
if border and key_of(border) > key_of(ARGV[2]) then
  return { {}, 2 }
end

local entries, place, bytes, at_end = {}, ARGV[2], 0, false
repeat
  local chunk = redis.call('XRANGE', KEYS[1], '(' .. place, '+', 'COUNT', CHUNK)
  for _, entry in ipairs(chunk) do
    entries[#entries + 1] = entry
    place = entry[1]
    bytes = bytes + #(entry[2][8] or '')
  end
  at_end = #chunk < CHUNK
until at_end or #entries >= MOST_ENTRIES or bytes >= MOST_BYTES
if not at_end then
  return { entries, 0 }
end

local function value_of(found)
  return type(found) == 'table' and tostring(found.err) or found
end

-- Where the stream begins, empty where histories are whole.
local begins_at = border and (redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1] or { '0-0' })[1] or ''

local function end_of(history)
  local found = tried('LRANGE', history, -2, -1)
  return found.err and tostring(found.err) or table.concat(found, ' ')
end

local items = {}
for i = FIRST, #ARGV do
  local row = value_of(tried('HGET', KEYS[2], ARGV[i]))
  items[#items + 1] = row
  items[#items + 1] = value_of(tried('ZSCORE', KEYS[3], ARGV[i]))
  items[#items + 1] = value_of(tried('LLEN', ARGV[1] .. ARGV[i]))
  items[#items + 1] = end_of(ARGV[1] .. ARGV[i])
  bytes = bytes + (row and #row or 0)
  if bytes >= MOST_BYTES then
    break
  end
end
local rows, ids = tried('HLEN', KEYS[2]), tried('ZCARD', KEYS[3])
return { entries, 1, value_of(rows), value_of(ids), begins_at, items }
