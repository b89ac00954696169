-- Compares the live rows, ids and histories with those of the shadow: a page of the shadow's.
--
-- Begins with replay.lua, what comes before that, and catch_up.lua.
--   KEYS[8], KEYS[9]  the live rows and ids
--   ARGV[8]           the cursor, 0 at first
-- Reply: the next cursor, 0 at the end; item and row of the page in turn; item, right row, live row
-- or nil for rows that differ; items whose place among the ids differs; how many more rows and ids
-- are live than right.

local CHUNK, LARGE, MOST, MOST_BYTES = 16, 64 * 1024, 500, 1024 * 1024
local ROW = '^{"version":(%d+),"position":"([%d-]+)","created":"[%d-]+","(%l+)":'

local function size(command, key)
  local found = tried(command, key)
  return type(found) == 'number' and found or 0  -- another type: there is nothing that counts
end

-- Marks a history that is wrong, with its last position in its place.
local function mark_end(item, right, position)
  mark_wrong(item, right)
  extend_shadow(item, position)
end

-- Of the positions before the last one those that are wrong were marked when they were replayed; the
-- history of an item's first event was not looked at yet.
local function compare_history(item, version, position)
  local live = ARGV[2] .. item
  if is_marked(item) then
    return
  elseif not border then
    if not ends_whole(live, version, position) then
      mark_end(item, version - 1, position)
    end
  elseif not ends_with(log, live, version, position) then
    local place = version > 1 and tried('LPOS', live, position)
    mark_end(item, type(place) == 'number' and place + 1 or 0, position)
  end
end

if at_end then
  local cursor, all, wrong_rows, wrong_ids, compared, read = ARGV[8], {}, {}, {}, 0, 0
  local count = 1
  repeat
    local page, before, items = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', count), read, {}
    cursor = page[1]
    for i = 1, #page[2], 2 do
      items[#items + 1] = page[2][i]
    end
    local live, listed = {}, {}
    if #items > 0 then
      live = tried('HMGET', KEYS[8], unpack(items))
      listed = tried('ZMSCORE', KEYS[9], unpack(items))
    end
    for i, item in ipairs(items) do
      local row = page[2][2 * i]
      all[#all + 1], all[#all + 2] = item, row
      if live[i] ~= row then
        wrong_rows[#wrong_rows + 1] = item
        wrong_rows[#wrong_rows + 1] = row
        wrong_rows[#wrong_rows + 1] = live[i] or false
      end
      local version, position, kind = string.match(row, ROW)
      if (listed.err or listed[i]) ~= (kind == 'data' and '0') then
        wrong_ids[#wrong_ids + 1] = item
      end
      compare_history(item, tonumber(version), position)
      read = read + #row
    end
    compared = compared + #items
    count = read - before > LARGE and 1 or math.min(4 * count, CHUNK)
  until cursor == '0' or compared >= MOST or read >= MOST_BYTES
  reply[6], reply[7], reply[8], reply[9], reply[10] = renewed, cursor, all, wrong_rows, wrong_ids
  reply[11] = size('HLEN', KEYS[8]) - size('HLEN', KEYS[2])
  reply[12] = size('ZCARD', KEYS[9]) - size('ZCARD', KEYS[3])
end
return reply
