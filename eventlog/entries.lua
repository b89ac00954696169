-- How large an entry of a log is, and what the engine tells of a log.
--
-- Scripts that read logs begin with this text. It takes no key and no argument itself.

-- Bytes of an entry's fields, names and values.
local function size_of(fields)
  local size = 0
  for i = 1, #fields do
    size = size + #fields[i]
  end
  return size
end

-- What XINFO tells of a log that is there, by name. The first and the last entry are in it whole.
local function info_of(log)
  local info, told = redis.call('XINFO', 'STREAM', log), {}
  for i = 1, #info, 2 do
    told[info[i]] = info[i + 1]
  end
  return told
end
