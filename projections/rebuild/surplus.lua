-- Finds what is live and should not be there at all: a page of the live rows or ids.
--
-- Begins with replay.lua, what comes before that, and catch_up.lua.
--   KEYS[8]          the live rows or ids
--   ARGV[8]          HSCAN or ZSCAN
--   ARGV[9]          the cursor, 0 at first
-- Reply: the next cursor, 0 at the end, then member and value.

local CHUNK, MOST, MOST_BYTES = 16, 256, 1024 * 1024

if at_end then
  local cursor, found, looked_at, bytes = ARGV[9], {}, 0, 0
  repeat
    local page = tried(ARGV[8], KEYS[8], cursor, 'COUNT', CHUNK)
    if page.err then  -- another type: there is nothing that counts
      page = { '0', {} }
    end
    cursor = page[1]
    for i = 1, #page[2], 2 do
      if redis.call('HEXISTS', KEYS[2], page[2][i]) == 0 then
        found[#found + 1] = page[2][i]
        found[#found + 1] = page[2][i + 1]
      end
      looked_at, bytes = looked_at + 1, bytes + #page[2][i + 1]
    end
  until cursor == '0' or looked_at >= MOST or bytes >= MOST_BYTES
  reply[7], reply[8] = cursor, found
end
return reply
