-- Adds what was seen at one moment to each ring of the history.
--
-- KEYS  a list for each ring, the newest entry first
-- ARGV  1 time now, milliseconds   2 the values, separated by spaces
--       then for each ring: milliseconds of a step, entries kept
-- Reply 1
--
-- An entry is "step time values…". What is seen within one step becomes one entry with the greatest of each value,
-- so that a peak is not missed between two points, and any number of processes may record the same moment.

local now, seen = tonumber(ARGV[1]), {}
for value in string.gmatch(ARGV[2], '%S+') do seen[#seen + 1] = tonumber(value) end

for nth, ring in ipairs(KEYS) do
  local step_ms, kept = tonumber(ARGV[2 * nth + 1]), tonumber(ARGV[2 * nth + 2])
  local step, head = math.floor(now / step_ms), {}
  for value in string.gmatch(redis.call('LINDEX', ring, 0) or '', '%S+') do head[#head + 1] = tonumber(value) end
  local is_same, values = head[1] == step, {}
  for at, value in ipairs(seen) do
    values[at] = string.format('%.0f', is_same and math.max(value, head[at + 2] or 0) or value)
  end
  local time = is_same and math.max(now, head[2] or 0) or now
  local entry = string.format('%.0f %.0f ', step, time) .. table.concat(values, ' ')
  if is_same then
    redis.call('LSET', ring, 0, entry)
  elseif step > (head[1] or 0) then
    redis.call('LPUSH', ring, entry)
    redis.call('LTRIM', ring, 0, kept - 1)
  end
end
return 1
