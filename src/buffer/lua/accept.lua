-- Numbers records and keeps them, or says why not, one after the other: of each all of it happens or nothing.
--
-- KEYS  1 meta   2 the list of chats   3 the list of messages
--       then for each record: its parent's counter, its parent's pending records
--       for a message also: the application's counter, the application's pending chats
--       with an idempotency key, last: its memory
-- ARGV  1 most records   2 most bytes   3 length of chats, 4 of messages at which a flusher is woken
--       5 wake-up channel   6 seconds for which an idempotency key is remembered
--       then for each record: payload, reference but for the number, the chat's number or for a chat nothing,
--       digest of the request or without an idempotency key nothing, time of the request
-- Reply for each record in order: number | {"replayed", number, time} | {"key-reused"}
--       | {"unknown-parent"} | {"deleted-parent"} | {"full"} | {"failed", error}
--
-- A chat is known by its counter. One that was accepted under this epoch and is still pending has none
-- until its first message, and no message can exist: its counter begins here. An older pending chat may
-- have messages in MySQL (Redis was put back), so for that one the caller must look there.

local meta = KEYS[1]
local state = redis.call('HMGET', meta, 'epoch', 'bytes', 'losses')
local epoch, bytes = state[1], tonumber(state[2] or '0')
local chats = { name = 'chats', key = KEYS[2], threshold = tonumber(ARGV[3]), kept = 0 }
local messages = { name = 'messages', key = KEYS[3], threshold = tonumber(ARGV[4]), kept = 0 }
local listed, kept_bytes = 0, 0
for _, list in ipairs({ chats, messages }) do
  list.length = redis.call('LLEN', list.key)
  listed = listed + list.length
end

local function is_new_chat(record, application)
  if not record.chat or application[1] ~= epoch then return false end
  if tonumber(record.chat) < tonumber(application[2]) then return false end
  return redis.call('HEXISTS', record.chats, record.chat) == 1
end

-- What is read here stays so: nobody else comes between the records of a call.
local applications, numbering = {}, {}

local function refusal_of_parent(record)
  if numbering[record.counter] then return nil end
  local parent = redis.call('HMGET', record.counter, 'epoch', 'deleted')
  local application = {}
  if record.chat then
    application = applications[record.application]
      or redis.call('HMGET', record.application, 'epoch', 'first', 'deleted')
    applications[record.application] = application
  end
  if parent[2] or application[3] then return 'deleted-parent' end
  if not epoch then return 'unknown-parent' end
  if parent[1] == epoch then return nil end
  if redis.call('HEXISTS', record.counter, 'last') == 1 or not is_new_chat(record, application) then
    return 'unknown-parent'
  end
  record.is_first = true
end

local function recall(record)
  local remembered = redis.call('GET', record.memory)
  if not remembered then return nil end
  local known, number, time = string.match(remembered, '^(%S+) (%d+) (%d+)$')
  if known ~= record.digest then return { 'key-reused' } end
  return { 'replayed', tonumber(number), tonumber(time) }
end

local function keep(record)
  local counter, payload, list = record.counter, record.payload, record.list
  if record.is_first then
    redis.call('HSET', counter, 'epoch', epoch, 'losses', state[3] or '0', 'last', 0, 'written', 0, 'first', 1)
  end
  local number = redis.call('HINCRBY', counter, 'last', 1)
  redis.call('HINCRBY', counter, 'bytes', #payload)
  if not numbering[counter] then redis.call('PERSIST', counter) end
  numbering[counter] = true
  redis.call('HSET', record.pending, number, payload)
  redis.call('RPUSH', list.key, record.reference .. string.format('%.0f', number))
  list.kept, kept_bytes = list.kept + 1, kept_bytes + #payload
  if record.memory then
    local remembered = string.format('%s %.0f %s', record.digest, number, record.time)
    redis.call('SET', record.memory, remembered, 'EX', ARGV[6])
  end
  return number
end

local function accept(record)
  local recalled = record.memory and recall(record)
  if recalled then return recalled end
  local refusal = refusal_of_parent(record)
  if refusal then return { refusal } end
  local is_full = listed + chats.kept + messages.kept >= tonumber(ARGV[1])
  if is_full or bytes + kept_bytes + #record.payload > tonumber(ARGV[2]) then return { 'full' } end
  return keep(record)
end

local next_key = 4
local function take_key()
  next_key = next_key + 1
  return KEYS[next_key - 1]
end

local function take_record(at)
  local record = { counter = take_key(), pending = take_key(), list = chats }
  record.payload, record.reference, record.time = ARGV[at], ARGV[at + 1], ARGV[at + 4]
  if ARGV[at + 2] ~= '' then
    record.list, record.chat = messages, ARGV[at + 2]
    record.application, record.chats = take_key(), take_key()
  end
  if ARGV[at + 3] ~= '' then
    record.digest, record.memory = ARGV[at + 3], take_key()
  end
  return record
end

-- What is wrong with a key, or found in one, fails those who need it and not their neighbours. Other errors tell
-- of Redis itself: they hold for the first record as for the last, so none is kept, and the call has failed.
local function is_of_redis(message)
  if is_of_rights(message) then return true end
  local code = string.match(message, '%u%u%u+')
  return code and code ~= 'WRONGTYPE' and code ~= 'ERR'
end

local replies = {}
for at = 7, #ARGV, 5 do
  local is_done, reply = pcall(accept, take_record(at))
  if not is_done then
    local message = type(reply) == 'table' and reply.err or tostring(reply)
    if is_of_redis(message) then return redis.error_reply(message) end
    reply = { 'failed', message }
  end
  replies[#replies + 1] = reply
end

for _, list in ipairs({ chats, messages }) do
  if list.kept > 0 then
    redis.call('HINCRBY', meta, 'accepted:' .. list.name, list.kept)
    if list.length == 0 then begin_waiting(meta, list.name) end
    -- Each multiple, not only the first: a wake-up that nobody heard is then made good by the next one.
    local passed = math.floor((list.length + list.kept) / list.threshold) > math.floor(list.length / list.threshold)
    if passed then redis.call('PUBLISH', ARGV[5], 'threshold') end
  end
end
if kept_bytes > 0 then redis.call('HINCRBY', meta, 'bytes', kept_bytes) end
return replies
