-- Gives a parent that Redis does not know its counter, from what MySQL knows; a counter of this epoch stays.
--
-- KEYS  1 meta   2 the parent's counter   3 the parent's pending records
-- ARGV  1 greatest number MySQL knows   2 time of the newest record it belongs to, milliseconds
--       3 numbers to leave out after a loss   4 seconds an idle counter stays   5 milliseconds clocks may differ
-- Reply {"seeded"} | {"deleted-parent"} | {"no-epoch"}
--
-- After a loss, numbers may have been answered that neither store knows; what is given now must lie above
-- them. So a counter of an older epoch resumes above a gap, and one that is missing as well, unless MySQL has
-- a record of this epoch: then the gap was left before, and the counter only went because it was idle.

local meta, counter, pending = KEYS[1], KEYS[2], KEYS[3]
local state = redis.call('HMGET', meta, 'epoch', 'began')
local epoch, began = state[1], tonumber(state[2] or '0')
if not epoch then return { 'no-epoch' } end

local known = redis.call('HMGET', counter, 'epoch', 'last', 'deleted')
if known[3] then return { 'deleted-parent' } end
if known[1] == epoch then return { 'seeded' } end

local last = math.max(tonumber(ARGV[1]), tonumber(known[2] or '0'))
local lowest
for _, field in ipairs(redis.call('HKEYS', pending)) do
  local number = tonumber(field)
  last = math.max(last, number)
  lowest = math.min(lowest or number, number)
end
local written = lowest and lowest - 1 or last
if began > 0 and (known[2] or tonumber(ARGV[2]) < began + tonumber(ARGV[5])) then
  last = last + tonumber(ARGV[3])
  if not lowest then written = last end
end
redis.call('HSET', counter, 'epoch', epoch, 'last', string.format('%.0f', last))
redis.call('HSET', counter, 'written', string.format('%.0f', written), 'first', string.format('%.0f', last + 1))
if not lowest then redis.call('EXPIRE', counter, ARGV[4]) end
return { 'seeded' }
