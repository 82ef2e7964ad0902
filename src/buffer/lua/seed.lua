-- Gives a parent its counter, at the end of a load; a counter of this epoch stays as it is.
--
-- KEYS  1 meta   2 the parent's counter   3 its pending records   4 its revisions   5 its dead letters
-- ARGV  1 the load's ticket   2 the epoch it began under   3 number above which the parent goes on
--       4 seconds an idle counter stays
-- Reply {"seeded"} | {"deleted-parent"} | {"stale"} the load began before another, or under another epoch

local meta, counter, pending = KEYS[1], KEYS[2], KEYS[3]
local state = redis.call('HMGET', meta, 'epoch', 'losses')
local known = redis.call('HMGET', counter, 'epoch', 'deleted', 'loading')
if known[2] then return { 'deleted-parent' } end
if known[1] and known[1] == state[1] then return { 'seeded' } end
if state[1] ~= ARGV[2] or known[3] ~= ARGV[1] then return { 'stale' } end

local last, lowest = tonumber(ARGV[3]), nil
for _, field in ipairs(redis.call('HKEYS', pending)) do
  lowest = math.min(lowest or tonumber(field), tonumber(field))
end
local function whole(number)
  return string.format('%.0f', number)
end
redis.call('HSET', counter, 'epoch', state[1], 'losses', state[2] or '0', 'last', whole(last))
redis.call('HSET', counter, 'written', whole(lowest and lowest - 1 or last), 'first', whole(last + 1))
redis.call('HDEL', counter, 'loading')
redis.call('PERSIST', counter)
let_rest(counter, pending, KEYS[4], KEYS[5], ARGV[4])
return { 'seeded' }
