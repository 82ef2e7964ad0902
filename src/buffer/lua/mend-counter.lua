-- Makes a parent's counter say what lies beneath it, unless the parent is deleted.
--
-- KEYS  1 meta   2 the parent's counter   3 its pending records   4 its revisions   5 its dead letters
-- ARGV  1 greatest number that MySQL was seen to have under it; 0 where it is not known
-- Reply 1 | 0 where there was nothing to be changed
--
-- The last number is only ever raised, and only of this epoch: a counter of another is loaded anew before it gives one.

if redis.call('HEXISTS', KEYS[2], 'deleted') == 1 then return 0 end
local bytes, count, lowest, highest = 0, redis.call('HLEN', KEYS[3]), nil, tonumber(ARGV[1])
for home = 3, 5 do
  for _, field in ipairs(redis.call('HKEYS', KEYS[home])) do
    bytes = bytes + redis.call('HSTRLEN', KEYS[home], field)
    if home == 3 then
      lowest = math.min(lowest or tonumber(field), tonumber(field))
      highest = math.max(highest, tonumber(field))
    end
  end
end

local changed = 0
local function set(field, value)
  redis.call('HSET', KEYS[2], field, string.format('%.0f', value))
  changed = 1
end

local known = redis.call('HMGET', KEYS[2], 'epoch', 'last', 'written', 'bytes')
local last, written = tonumber(known[2] or '-1'), tonumber(known[3] or '-1')
if tonumber(known[4] or '0') ~= bytes then set('bytes', bytes) end
if known[1] and known[1] == redis.call('HGET', KEYS[1], 'epoch') and last >= 0 then
  if last < highest then
    last = highest
    set('last', last)
  end
  if lowest and written >= 0 and last - written == count and lowest ~= written + 1 then set('written', lowest - 1) end
end
if redis.call('EXISTS', KEYS[3], KEYS[4], KEYS[5]) > 0 and redis.call('PERSIST', KEYS[2]) == 1 then changed = 1 end
return changed
