-- Numbers one record and keeps it, or says why not: all of it happens or nothing.
--
-- KEYS  1 meta   2 the record's list   3 the other list
--       4 the parent's counter         5 the parent's pending records
--       for a message also:            6 the application's counter   7 the application's pending chats
--       with an idempotency key, last: its memory
-- ARGV  1 payload   2 reference, but for the number   3 most records   4 most bytes
--       5 length at which a flusher is woken   6 wake-up channel   7 field of the total
--       8 digest of the request, empty without an idempotency key   9 time of the request   10 seconds it is remembered
--       for a message also:            11 the chat's number
-- Reply {"accepted", number} | {"replayed", number, time} | {"key-reused"}
--       | {"unknown-parent"} | {"deleted-parent"} | {"full"}
--
-- A chat is known by its counter. One that was accepted under this epoch and is still pending has none
-- until its first message, and no message can exist: its counter begins here. An older pending chat may
-- have messages in MySQL (Redis was put back), so for that one the caller must look there.

local meta, list, counter, pending = KEYS[1], KEYS[2], KEYS[4], KEYS[5]
local payload, digest = ARGV[1], ARGV[8]
local is_message = ARGV[11] ~= nil
local memory = digest ~= '' and KEYS[#KEYS]

if memory then
  local remembered = redis.call('GET', memory)
  if remembered then
    local known, number, time = string.match(remembered, '^(%S+) (%d+) (%d+)$')
    if known ~= digest then return { 'key-reused' } end
    return { 'replayed', tonumber(number), tonumber(time) }
  end
end

local state = redis.call('HMGET', meta, 'epoch', 'bytes')
local epoch, bytes = state[1], tonumber(state[2] or '0')
local parent = redis.call('HMGET', counter, 'epoch', 'deleted')
local application = is_message and redis.call('HMGET', KEYS[6], 'epoch', 'first', 'deleted') or {}

local function is_new_chat()
  if not is_message or application[1] ~= epoch then return false end
  if tonumber(ARGV[11]) < tonumber(application[2]) then return false end
  local chat = redis.call('HGET', KEYS[7], ARGV[11])
  return chat and not string.find(chat, '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|x$')
end

if parent[2] or application[3] then return { 'deleted-parent' } end
if not epoch then return { 'unknown-parent' } end
local is_first = parent[1] ~= epoch
if is_first and (redis.call('HEXISTS', counter, 'last') == 1 or not is_new_chat()) then
  return { 'unknown-parent' }
end

local length = redis.call('LLEN', list)
if length + redis.call('LLEN', KEYS[3]) >= tonumber(ARGV[3]) or bytes + #payload > tonumber(ARGV[4]) then
  return { 'full' }
end

if is_first then redis.call('HSET', counter, 'epoch', epoch, 'last', 0, 'written', 0, 'first', 1) end
local number = redis.call('HINCRBY', counter, 'last', 1)
redis.call('HINCRBY', counter, 'bytes', #payload)
redis.call('PERSIST', counter)
redis.call('HSET', pending, number, payload)
redis.call('RPUSH', list, ARGV[2] .. string.format('%.0f', number))
redis.call('HINCRBY', meta, 'bytes', #payload)
redis.call('HINCRBY', meta, ARGV[7], 1)
if memory then
  redis.call('SET', memory, string.format('%s %.0f %s', digest, number, ARGV[9]), 'EX', ARGV[10])
end
-- Each multiple, not only the first: a wake-up that nobody heard is then made good by the next one.
if (length + 1) % tonumber(ARGV[5]) == 0 then redis.call('PUBLISH', ARGV[6], 'threshold') end
return { 'accepted', number }
