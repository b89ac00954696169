-- Compares the live rows and ids with those of the shadow: a page of the shadow's.
--
-- Begins with apply.lua, replay.lua and catch_up.lua.
--   KEYS[6], KEYS[7]  the live rows and ids
--   ARGV[8]           the cursor, 0 at first
-- Reply: the next cursor, 0 at the end; item, right row, live row or nil for rows that differ;
-- items whose place among the ids differs; how many more rows and ids are live than right.

local CHUNK, LARGE, MOST, MOST_BYTES = 16, 64 * 1024, 256, 1024 * 1024

local function size(command, key)
  local found = redis.pcall(command, key)
  return type(found) == 'number' and found or 0  -- another type: there is nothing that counts
end

if at_end then
  local cursor, wrong_rows, wrong_ids, compared, bytes = ARGV[8], {}, {}, 0, 0
  local count = 1
  repeat
    local page, before = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', count), bytes
    cursor = page[1]
    for i = 1, #page[2], 2 do
      local item, row = page[2][i], page[2][i + 1]
      local live = redis.pcall('HGET', KEYS[6], item)
      if live ~= row then
        wrong_rows[#wrong_rows + 1] = item
        wrong_rows[#wrong_rows + 1] = row
        wrong_rows[#wrong_rows + 1] = type(live) == 'string' and live
      end
      if redis.pcall('ZSCORE', KEYS[7], item) ~= redis.call('ZSCORE', KEYS[3], item) then
        wrong_ids[#wrong_ids + 1] = item
      end
      compared, bytes = compared + 1, bytes + #row
    end
    count = bytes - before > LARGE and 1 or CHUNK
  until cursor == '0' or compared >= MOST or bytes >= MOST_BYTES
  reply[6], reply[7], reply[8] = cursor, wrong_rows, wrong_ids
  reply[9] = size('HLEN', KEYS[6]) - size('HLEN', KEYS[2])
  reply[10] = size('ZCARD', KEYS[7]) - size('ZCARD', KEYS[3])
end
return reply
