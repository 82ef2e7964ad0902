-- Reads a page of a parent's pending records in the order of their numbers, and all revisions of its records and
-- all its dead letters, which are few.
--
-- KEYS  1 the application's counter   2 the parent's counter, the same for chats
--       3 the parent's pending records   4 its revisions   5 its dead letters
-- ARGV  1 "asc" or "desc"   2 cursor: numbers beyond it, in that order   3 records to skip   4 most records
--       5 "near" where far ones are not wanted, or nothing
-- Reply {"gone"} | {"page", records pending, lowest pending number or nil, {number, payload, …} of the page,
--       {number, payload, …} of the revisions, the same of the dead letters}
--       Nil in place of the page where it is far: between cursor and lowest number there is room for all of it.
--
-- Pending numbers have no holes in normal running: they are those above `written`, up to `last`. So a page is
-- a range, whatever the length. Where there are holes (numbers resumed above a gap after a loss) all of the
-- parent's numbers are sorted, once a call. A pending record that was deleted keeps its place until it is
-- flushed, and is passed over: it is among the revisions as well.

local pending = KEYS[3]
local ascending = ARGV[1] == 'asc'
local cursor, skip, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

if is_deleted(KEYS[1]) or is_deleted(KEYS[2]) then return { 'gone' } end

local revisions = redis.call('HGETALL', KEYS[4])
local dead = redis.call('HGETALL', KEYS[5])
local count = redis.call('HLEN', pending)
if count == 0 then return { 'page', 0, false, {}, revisions, dead } end

local deleted = {}
for at = 1, #revisions, 2 do
  if is_tombstone(revisions[at + 1]) and redis.call('HEXISTS', pending, revisions[at]) == 1 then
    deleted[#deleted + 1] = tonumber(revisions[at])
  end
end
table.sort(deleted, function(a, b)
  if ascending then return a < b end
  return a > b
end)

-- Walks from `number` over what is not deleted: `skip` passed over, then up to `limit` taken.
local function dense_numbers(first, last)
  local step = ascending and 1 or -1
  local number = ascending and math.max(first, cursor + 1) or math.min(last, cursor - 1)
  local numbers, nth = {}, 1
  while deleted[nth] and (deleted[nth] - number) * step < 0 do nth = nth + 1 end
  number = number + skip * step
  local function pass_deleted()
    while deleted[nth] and (deleted[nth] - number) * step <= 0 do
      number = number + step
      nth = nth + 1
    end
  end
  pass_deleted()
  while #numbers < limit and number >= first and number <= last do
    numbers[#numbers + 1] = number
    number = number + step
    pass_deleted()
  end
  return numbers
end

local function sorted_numbers()
  local is_deleted = {}
  for _, number in ipairs(deleted) do is_deleted[number] = true end
  local all, numbers, seen = {}, {}, 0
  for _, field in ipairs(redis.call('HKEYS', pending)) do all[#all + 1] = tonumber(field) end
  table.sort(all, function(a, b)
    if ascending then return a < b end
    return a > b
  end)
  for _, number in ipairs(all) do
    local is_beyond = (ascending and number > cursor) or (not ascending and number < cursor)
    if is_beyond and not is_deleted[number] then
      seen = seen + 1
      if seen > skip and #numbers < limit then numbers[#numbers + 1] = number end
    end
  end
  return numbers, ascending and all[1] or all[#all]
end

local range = redis.call('HMGET', KEYS[2], 'written', 'last')
local written, last = tonumber(range[1] or '-1'), tonumber(range[2] or '-1')
local numbers, lowest
local is_dense = written >= 0 and last - written == count
if is_dense and ascending and ARGV[5] == 'near' and written >= cursor + limit then
  return { 'page', count - #deleted, written + 1, false, revisions, dead }
end
if is_dense then
  numbers, lowest = dense_numbers(written + 1, last), written + 1
else
  numbers, lowest = sorted_numbers()
end

local records = {}
for _, number in ipairs(numbers) do
  records[#records + 1] = number
  records[#records + 1] = redis.call('HGET', pending, string.format('%.0f', number))
end
return { 'page', count - #deleted, lowest, records, revisions, dead }
