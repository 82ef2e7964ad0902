/** What must hold of the buffer after every single step that wrote to it; with `product.ts` all that is known of it. */
import type { Redis } from "ioredis";

/** A sentence for each thing that is not as it must be, and the counters beneath which something lies. */
const look = `
local root, problems, occupied = ARGV[1], {}, {}
local function add(what, where)
  problems[#problems + 1] = what .. ': ' .. where
end
local listed = {}
for _, list in ipairs({ 'chats', 'messages' }) do
  for _, reference in ipairs(redis.call('LRANGE', root .. list, 0, -1)) do
    if listed[reference] then add('a record is listed twice', reference) end
    listed[reference] = true
  end
end

local sum, found = 0, {}
for home, mark in pairs({ pending = '', revisions = ':r', dead = ':d' }) do
  for _, key in ipairs(redis.call('KEYS', root .. home .. ':*')) do
    local parent = string.sub(key, #root + #home + 2)
    occupied[#occupied + 1] = 'counter:' .. parent
    local records = redis.call('HGETALL', key)
    for at = 1, #records, 2 do
      local reference = parent .. ':' .. records[at] .. mark
      sum, found[reference] = sum + #records[at + 1], true
      -- A new record that is deleted has its tombstone among the revisions as well.
      local is_copy = home == 'revisions' and redis.call('HEXISTS', root .. 'pending:' .. parent, records[at]) == 1
      local is_known = listed[reference] or is_copy or redis.call('ZSCORE', root .. 'dead-letters', reference)
      if not is_known then add('a payload is not listed', reference) end
    end
  end
end

-- What lay beneath a deleted parent is gone, and references may outlast its mark; a counter without a number is a load's.
local function is_gone(parent)
  local counter = root .. 'counter:' .. parent
  local is_deleted = redis.call('HEXISTS', root .. 'counter:' .. string.match(parent, '^[^:]*'), 'deleted') == 1
  return is_deleted or redis.call('HEXISTS', counter, 'last') == 0 or redis.call('HEXISTS', counter, 'deleted') == 1
end
for reference in pairs(listed) do
  local parent = string.match(reference, '^(.*):%d+') or reference
  if not found[reference] and not is_gone(parent) then add('a reference leads nowhere', reference) end
end

local bytes = tonumber(redis.call('HGET', root .. 'meta', 'bytes') or '0')
if bytes ~= sum then add('bytes are not the sum', bytes .. ' for ' .. sum) end
table.sort(problems)
return { problems, occupied }
`;

/** Looks at a buffer in one moment; `expires` says whether a key leaves Redis by itself. */
export async function disorderOf(
  client: Redis,
  namespace: string,
  expires: (key: string) => boolean,
): Promise<string[]> {
  const root = `${namespace}:{0}:`;
  const [problems, occupied] = (await client.eval(look, 0, root)) as [string[], string[]];
  const idle = occupied.filter((counter) => expires(root + counter));
  return [...problems, ...idle.map((counter) => `a counter in use expires: ${counter}`)];
}
