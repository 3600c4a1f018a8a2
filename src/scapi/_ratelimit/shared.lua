-- One atomic step of a budget that all processes on a key share. A process sends what it holds, wants and has learned,
-- and receives its grants. `shared.py` is the other side. `shared_step.py` takes the same step for PostgreSQL: change both,
-- a test compares them.
--
-- Each request replaces the previous one of its process, so the next step repairs a lost reply, a flushed database or a
-- restart. Times are milliseconds of Redis' clock, and only their differences matter. The window's end comes from the
-- server's `reset`, which each process converts to the time left.
--
-- KEYS: state (MessagePack), owners (sorted set: lease), processes (hash), lines, reserves and askers (sorted sets)
-- ARGV: the request as MessagePack; its `now` replaces Redis' clock
--
-- Many budgets have only one process, and a busy one often takes several steps in a row. So the process of the last step
-- is in the state, and moves to the other keys as soon as another one takes a step.
--
-- Classes are 1 high, 2 normal and 3 low, and for tickets that have waited a whole window also 4 normal and 5 low.
--
-- A line holds the processes that wait with a ticket of one class and price. Its members sort by class, price, last
-- window of the process and its points in that window: "2:0005:000000001700000120:process". The first member is next:
-- it has had the fewest points in this window, or none. So a step takes O(log n).

local STATE, OWNERS, PROCESSES, LINES, RESERVES, ASKERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local ask = cmsgpack.unpack(ARGV[1])
local me, now = ask.me, ask.now
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Most constants are in the one function that uses them: Lua sets up each variable that functions share in every step.
local HEARTBEAT, SAME_RESET = 250, 100
local OVERDUE = 2 -- added to the class of a ticket that has waited a whole window
local CLASS = 1e14 -- separates the classes in the scores of ASKERS, above all times
-- After how long Redis drops the keys, and after how long this is put off again.
local STATE_EXPIRES, OTHERS_EXPIRE, EXPIRY_RENEWED = '86400000', '3600000', 60000

-- The state, which is written back at the end.
local stored = redis.call('GET', STATE)
local state = stored and cmsgpack.unpack(stored) or {}

-- Whether this step may have created a key, which has no expiry then.
local created = not state.id

local function add(field, value) state[field] = (state[field] or 0) + value end

-- Count points as charged until a later response tells: {time, points} each, in order of time.
local function lose(points)
  if points <= 0 or state.unpaced then return end
  local entries = state.unseen or {}
  entries[#entries + 1] = {now, points}
  -- A broken server must not fill the memory. Merged entries take the newer time, which is the safe choice.
  while #entries > 16 do
    entries[2][2] = entries[2][2] + entries[1][2]
    table.remove(entries, 1)
  end
  state.unseen = entries
end

local function lost()
  local sum = 0
  if state.unseen then
    for _, entry in ipairs(state.unseen) do sum = sum + entry[2] end
  end
  return sum
end

local function cost_of(operation)
  local samples = state['cost:' .. operation]
  return samples and math.min(unpack(samples))
end

local function price_of(operation)
  local UNMEASURED = 10
  return math.max(1, math.min(cost_of(operation) or UNMEASURED, state.limit or math.huge))
end

local function is_to_measure(operation)
  local ATTEMPTS = 3
  return not state['cost:' .. operation] and (state['tries:' .. operation] or 0) < ATTEMPTS
end

-- -- processes ------------------------------------------------------------------------------------------------------

local NOTHING = string.rep('0', 18)

-- A process, read once and written back at the end: the points it holds, its unfetched grants as {operation, points, id,
-- window}, the turn and points of its last window (`had`), its waiting tickets in order, as
-- {class, operation, even, price, has waited a window}, its lease, and when it last asked for a ticket of each class.
local known = {}

-- The process of the last step, as `save` takes it.
local latest = state.latest

local function read(name, held, granted, had, wants, lease, asked)
  return {name = name, held = held, granted = granted, had = had, wants = wants, lease = lease, asked = asked}
end

local function process_of(name)
  local process = known[name]
  if not process then
    if latest and latest[1] == name then
      process = read(unpack(latest))
    else
      local stored = redis.call('HGET', PROCESSES, name)
      if stored then
        process = read(name, cmsgpack.unpack(stored))
      else
        process = read(name, 0, {}, NOTHING, {}, 0, {0, 0, 0})
        process.is_new = true
      end
    end
    known[name] = process
  end
  return process
end

local function save(name, held, granted, had, wants, lease, asked)
  local packed = cmsgpack.pack(held, granted, had, wants, lease, asked)
  if redis.call('HSET', PROCESSES, name, packed) > 0 then created = true end
end

-- Write when a process last asked for a ticket of each class.
local function save_asked(name, asked)
  for class, time in ipairs(asked) do
    if time > 0 and redis.call('ZADD', ASKERS, class * CLASS + time, class .. ':' .. name) > 0 then created = true end
  end
end

-- Move the process of the last step out of the state.
local function save_latest()
  save(unpack(latest))
  save_asked(latest[1], latest[7])
  if redis.call('ZADD', OWNERS, latest[6], latest[1]) > 0 then created = true end
  latest = nil
end

-- Points that a process has received in this window.
local function used(process)
  local turn, points = string.sub(process.had, 1, 10), string.sub(process.had, 11)
  return tonumber(turn) == (state.turn or 0) and tonumber(points) or 0
end

local function places(process)
  local members, seen = {}, {}
  for _, want in ipairs(process.wants) do
    for class = want[1], want[1] + want[5] * OVERDUE, OVERDUE do
      local line = string.format('%d:%04d', class, want[4])
      if not seen[line] then
        seen[line] = true
        members[#members + 1] = line .. ':' .. process.had .. ':' .. process.name
      end
    end
  end
  return members
end

local function leave_lines(process)
  local members = places(process)
  if #members > 0 then redis.call('ZREM', LINES, unpack(members)) end
end

local function join_lines(process)
  local members = {}
  for _, member in ipairs(places(process)) do
    members[#members + 1], members[#members + 2] = 0, member
  end
  if #members > 0 then
    redis.call('ZADD', LINES, unpack(members))
    redis.call('PEXPIRE', LINES, OTHERS_EXPIRE)
  end
end

local function points_in(grants)
  local sum = 0
  for _, grant in ipairs(grants) do sum = sum + grant[2] end
  return sum
end

-- Release the points of a process. Requests that it sent may have been charged; unfetched grants were not.
local function bury(name)
  local process = process_of(name)
  lose(process.held - points_in(process.granted))
  add('reserved', -process.held)
  leave_lines(process)
  known[name] = nil
  state.processes = nil
  redis.call('HDEL', PROCESSES, name)
  redis.call('ZREM', OWNERS, name)
  redis.call('ZREM', RESERVES, name)
  redis.call('ZREM', ASKERS, '1:' .. name, '2:' .. name, '3:' .. name)
end

-- -- time -----------------------------------------------------------------------------------------------------------

local function new_window()
  state.window = (state.window or now) + 1
  add('turn', 1)
  state.spent = 0
  state['served:2'] = nil
  state['served:3'] = nil
  state.opened = now
  state.remaining = nil
  state.ends = nil
end

local function catch_up()
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', OWNERS, '-inf', '(' .. now, 'LIMIT', 0, 20)) do
    if dead ~= me then bury(dead) end
  end
  if state.seen and math.abs(now - state.seen) > 2 * ask.length then
    -- Forget a last reset that may be wrong.
    state.reset = nil
  end
  if state.blocked and state.blocked <= now then
    if state.foreign then
      -- A single request goes first and shows whether the block is over.
      new_window()
      state.whole = nil
    end
    state.blocked = nil
    state.foreign = nil
  end
  if state.ends and now >= state.ends then
    state.unseen = nil
    state.least = nil
    new_window()
    state.whole = state.limit ~= nil or nil
  end
end

-- -- responses ------------------------------------------------------------------------------------------------------

local function stop(till, is_foreign)
  if till > (state.blocked or 0) then
    state.blocked = till
    state.foreign = is_foreign
  end
end

-- Learn a cost if nothing else can have been charged meanwhile. The least of several samples counts.
local function measure(report, remaining)
  local from = state.alone_from
  if state.alone ~= report.id or not from then return end
  local cost = from - remaining
  if cost >= 1 then
    local field, before = 'cost:' .. report.op, cost_of(report.op)
    local samples = state[field] or {}
    samples[#samples + 1] = cost
    local SAMPLES = 5
    if #samples > SAMPLES then table.remove(samples, 1) end
    state[field] = samples
    if cost_of(report.op) ~= before then add('costs', 1) end
  end
end

-- Learn from a response. Return true if its cost is accounted for.
local function observe(report)
  state.unpaced = nil
  local remaining = report.status == 429 and 0 or report.remaining
  if not remaining then return false end
  local reset, window, open = state.reset, state.window, state.remaining ~= nil
  local verdict = report.verdict
  if verdict == 'known' then
    verdict = 'same'
    if not reset or report.reset > reset + SAME_RESET then verdict = 'new' end
    if reset and report.reset < reset - SAME_RESET then verdict = 'old' end
  end
  if verdict == 'old' or (verdict == 'same' and not open and report.over) then
    -- A request from an earlier window was charged to that one. In this window, its headers come from a cache.
    return report.window ~= window
  end
  if report.limit then state.limit = report.limit end
  if verdict == (open and 'same' or 'new') and report.window == window and report.status ~= 429 then
    measure(report, remaining)
  end
  if verdict == 'new' then
    if open then new_window() end
    state.reset = report.reset
    state.reset_ends = now + report.left
    state.ends = now + report.left
    state.remaining = remaining
    state.least = report.remaining
    state.whole = nil
    if not state.foreign then state.blocked = nil end
  else
    -- The least value of a window counts: a cached response may have a greater one with the same reset.
    local least = math.min(report.remaining or math.huge, state.least or math.huge, state.limit or math.huge)
    if verdict == 'same' then
      local ends = now + report.left
      state.reset_ends = open and math.min(state.reset_ends or ends, ends) or ends
      state.ends = state.reset_ends
    elseif not state.ends then
      state.ends = now + ask.length
    end
    state.remaining = math.min(state.remaining or least, remaining)
    state.least = least < math.huge and least or nil
  end
  if verdict == 'new' or verdict == 'same' then state.seen = now end
  if state.unseen then
    local kept = {}
    for _, entry in ipairs(state.unseen) do
      if entry[1] > report.started then kept[#kept + 1] = entry end
    end
    state.unseen = #kept > 0 and kept or nil
  end
  if report.status == 429 and state.ends then stop(state.ends) end
  return verdict ~= 'past'
end

local function settle(report)
  if state.measuring and state.measuring == report.id then
    state.measuring = nil
    state.measuring_since = nil
  end
  if report.verdict == 'unsent' then return end
  local told = report.verdict == 'known' or report.verdict == 'unknown' or report.verdict == 'past'
  local counted = told and observe(report)
  if report.verdict == 'bare' then state.unpaced = true end
  if not counted then
    lose(report.points)
    -- It may have been charged, so the next response's cost can't be measured from the limit.
    if not state.remaining then state.whole = nil end
  end
  if report.status == 429 and not counted then
    if not told then
      stop(now + report.asked, true)
    else
      if not state.ends then state.ends = now + ask.length end
      state.remaining = 0
      stop(state.ends)
    end
  end
end

-- -- granting -------------------------------------------------------------------------------------------------------

local mine = {} -- grants for this process
-- The process of this step. It isn't in LINES meanwhile: most calls are granted at once.
local own
-- The number of processes.
local processes
-- The first and the last member of LINES.
local first, last
local has_saved_asked = false

-- Points that are reserved for calls above low priority, and the milliseconds until at most `points` are: the reserve
-- melts before the window ends.
local function reserve(points)
  local whole = tonumber(redis.call('ZREVRANGE', RESERVES, 0, 0, 'WITHSCORES')[2] or 0) * (state.limit or 0)
  if whole <= 0 then return 0, 0 end
  local MELTING, MELTED = 0.1, 0.02 -- see `priorities.py`
  local share = ((state.ends - now) / ask.length - MELTED) / (MELTING - MELTED)
  local left = (MELTED + math.max(0, points) / whole * (MELTING - MELTED)) * ask.length
  return whole * math.min(1, math.max(0, share)), points >= whole and 0 or math.max(0, state.ends - left - now)
end

-- Points that each process may have used by now if several are busy: first an equal part, later what others leave.
local function allowance(class)
  -- Shares of a window: how long a process counts as busy after a request, until when busy processes keep to equal
  -- parts, and from when on each may take everything left.
  local BUSY, EQUAL, ANY = 0.05, 0.3, 0.8
  if class == 1 or class > 3 or not state.remaining or not state.ends or processes < 2 then return math.huge end
  if not has_saved_asked then save_asked(me, own.asked) end
  has_saved_asked = true
  local busy = redis.call('ZCOUNT', ASKERS, class * CLASS + now - math.max(200, BUSY * ask.length), class * CLASS + now)
  if busy < 2 then return math.huge end
  local all = state.remaining + (state.spent or 0)
  local passed = 1 - (state.ends - now) / ask.length
  local more = math.min(1, math.max(0, (passed - EQUAL) / (ANY - EQUAL)))
  return math.ceil(all / busy) + all * more
end

local function look_at_lines()
  if processes < 2 then return end
  first = redis.call('ZRANGE', LINES, 0, 0)[1]
  last = first and redis.call('ZRANGE', LINES, -1, -1)[1]
end

local function patience(since)
  local PATIENCE = 1000
  return since and math.max(0, since + PATIENCE - now) or 0
end

local function first_ticket(process, class, most)
  for index, want in ipairs(process.wants) do
    local fits = want[1] == class or (want[1] + OVERDUE == class and want[5] == 1)
    if fits and want[4] <= most then return index, want end
  end
end

-- The process with the fewest points in this window, among those with a ticket of the class and at most that price.
local function next_in(class, most)
  local is_own = first_ticket(own, class, most)
  if not first then return is_own and own end
  local best = is_own and own.had .. ':' .. me
  local member, from = last, ''
  if class < tonumber(string.sub(first, 1, 1)) or class > tonumber(string.sub(last, 1, 1)) then member = nil end
  while member do
    member = redis.call('ZRANGEBYLEX', LINES, '[' .. class .. ':' .. from, '(' .. class .. ';', 'LIMIT', 0, 1)[1]
    local price, order = string.match(member or '', '^%d:(%d+):(.*)$')
    if not price or tonumber(price) > most then break end
    if not best or order < best then best = order end
    if member == last then break end
    from = price .. ';'
  end
  return best and process_of(string.sub(best, #NOTHING + 2))
end

local function grant(process, index)
  local want, points = process.wants[index], used(process)
  local operation, price, id = want[2], want[4], (state.grants or 0) + 1
  local open = state.remaining ~= nil
  if state.reserved == 0 and lost() == 0 then
    state.alone = id
    state.alone_from = open and state.remaining or (state.whole and state.limit) or nil
  else
    state.alone = nil
    state.alone_from = nil
  end
  if open and is_to_measure(operation) then
    add('tries:' .. operation, 1)
    state.measuring = id
    state.measuring_since = now
  end
  state['since:' .. operation] = nil
  state.grants = id
  state.started = now
  add('spent', price)
  add('reserved', price)
  if want[1] > 1 then add('served:' .. want[1], price) end
  if process ~= own then leave_lines(process) end
  table.remove(process.wants, index)
  process.had = string.format('%010d%08d', state.turn or 0, points + price)
  process.held = process.held + price
  if process ~= own then
    join_lines(process)
    look_at_lines()
  end
  local grants = process == own and mine or process.granted
  grants[#grants + 1] = {operation, price, id, state.window}
end

-- Milliseconds that the next ticket waits although its points are available, and whether to check again sooner.
local function delay(want, available)
  if state.remaining == nil or state.ends == nil then
    return state.reserved > 0 and patience(state.started) or 0, true
  end
  if state.measuring and patience(state.measuring_since) > 0 then return patience(state.measuring_since), true end
  if state.reserved > 0 and is_to_measure(want[2]) then
    if not state['since:' .. want[2]] then state['since:' .. want[2]] = now end
    if patience(state['since:' .. want[2]]) > 0 then return patience(state['since:' .. want[2]]), true end
  end
  if want[3] == 1 then
    local SLACK = 0.05
    local begun = math.max(state.started or 0, state.opened or 0)
    local span = math.max(0, state.ends - SLACK * ask.length - begun)
    return math.max(0, begun + span * want[4] / math.max(1, available) - now), false
  end
  return 0
end

-- The classes in order. Tickets that have waited a window come first, up to a share of the points.
local function classes()
  local OVERDUE_SHARE = 0.1 -- see `priorities.py`
  local order = {}
  for class = 2, 3 do
    if state.limit and (state['served:' .. class] or 0) < OVERDUE_SHARE * state.limit then
      order[#order + 1] = class + OVERDUE
    end
  end
  for class = 1, 3 do order[#order + 1] = class end
  return order
end

-- Grant one ticket. Return nil, or the milliseconds after which to try again.
local function grant_next(poll)
  local stopped = math.max((state.blocked or 0) - now, (state.gather or 0) - now)
  if stopped > 0 then return stopped end
  if state.limit == 0 and state.ends then return state.ends - now end
  local paced, open = not state.unpaced, state.remaining ~= nil and state.ends ~= nil
  local available = open and paced and state.remaining - lost() - state.reserved or math.huge
  -- Requests in flight may give points back in this window.
  local most = (open and paced and state.reserved > 0) and state.remaining or available
  for _, class in ipairs((first or own.wants[1]) and classes() or {}) do
    local process = next_in(class, most)
    if process then
      local index, want = first_ticket(process, class, most)
      if paced then
        local kept, until_kept = 0, 0
        if class == 3 and open then kept, until_kept = reserve(available - want[4]) end
        local left = available - kept
        if want[4] > available then return poll end
        if want[4] > left then return math.max(poll, until_kept) end
        -- The other processes of its class have had as many points or more.
        if used(process) + want[4] > allowance(class) then return poll end
        local wait, is_short = delay(want, left)
        if wait > 0 then return is_short and math.min(wait, poll) or wait end
      end
      grant(process, index)
      return nil
    end
  end
  return (open and state.reserved == 0) and state.ends - now or HEARTBEAT
end

-- -- the step -------------------------------------------------------------------------------------------------------

-- If Redis' clock was set back, move all times with it, as if no time had passed.
if now - (state.last or now) < -1000 then
  local step = now - state.last
  for _, field in ipairs({'ends', 'reset_ends', 'blocked', 'started', 'opened', 'measuring_since', 'seen', 'gather'}) do
    if state[field] then add(field, step) end
  end
  for field in pairs(state) do
    if string.sub(field, 1, 6) == 'since:' then state[field] = nil end
  end
  for _, owner in ipairs(redis.call('ZRANGE', OWNERS, 0, -1)) do
    redis.call('ZADD', OWNERS, now + ask.lease, owner)
  end
  if latest then latest[6] = now + ask.lease end
  for _, entry in ipairs(state.unseen or {}) do entry[1] = now end
end
state.last = now
if not state.id then
  state.id = string.format('%.0f', now) .. me
  state.window = now
  state.opened = now
  -- Other processes hold points that this state doesn't know yet: wait for their requests first.
  local GATHER = 300
  if ask.id then state.gather = now + GATHER end
end
state.reserved = state.reserved or 0
if latest and latest[1] ~= me then save_latest() end
catch_up()
for _, report in ipairs(ask.reports) do settle(report) end
if ask.reset and state.remaining and state.reset and math.abs(ask.reset - state.reset) <= SAME_RESET then
  -- Each process' bound is certain by its own clock, so the earliest counts. This also corrects steps of Redis' clock.
  state.ends = math.min(state.ends or math.huge, math.max(now, now + ask.left))
end

local again = -1
if ask.bye then
  bury(me)
  latest = nil
  processes = redis.call('ZCARD', OWNERS)
else
  own = process_of(me)
  for _, grant in ipairs(own.granted) do mine[#mine + 1] = grant end
  local holds = ask.held + points_in(mine)
  add('reserved', holds - own.held)
  leave_lines(own)
  own.held, own.granted, own.wants, own.lease = holds, {}, {}, now + ask.lease
  -- Tickets of the grants just fetched are still among the wants.
  local taken = {}
  for _, one in ipairs(mine) do taken[one[1]] = (taken[one[1]] or 0) + 1 end
  for _, want in ipairs(ask.wants) do
    own.asked[want[1]] = now
    if (taken[want[2]] or 0) > 0 then
      taken[want[2]] = taken[want[2]] - 1
    else
      if want[5] > 0 and not state['cost:' .. want[2]] then
        state['cost:' .. want[2]] = {want[5]}
        add('costs', 1)
      end
      own.wants[#own.wants + 1] = {want[1], want[2], want[3], price_of(want[2]), want[4]}
    end
  end
  if own.is_new then
    if redis.call('ZADD', OWNERS, own.lease, me) > 0 then created = true end
    state.processes = nil
  end
  processes = state.processes or redis.call('ZCARD', OWNERS)
  if ask.reserve then
    if ask.reserve > 0 then redis.call('ZADD', RESERVES, ask.reserve, me) else redis.call('ZREM', RESERVES, me) end
    redis.call('PEXPIRE', RESERVES, OTHERS_EXPIRE)
  end
  local poll = math.min(HEARTBEAT, math.max(10, 2 * processes))
  look_at_lines()
  repeat again = grant_next(poll) until again
  again = math.ceil(again)
  join_lines(own)
  known[me] = nil
  latest = {me, own.held, own.granted, own.had, own.wants, own.lease, own.asked}
end

for _, process in pairs(known) do
  save(process.name, process.held, process.granted, process.had, process.wants, process.lease, process.asked)
end
state.latest, state.processes = latest, processes
local expire = created or math.abs(now - (state.renewed or 0)) >= EXPIRY_RENEWED
if expire then state.renewed = now end
redis.call('SET', STATE, cmsgpack.pack(state), 'PX', STATE_EXPIRES)
if expire then
  for _, key in ipairs({OWNERS, PROCESSES, ASKERS}) do redis.call('PEXPIRE', key, OTHERS_EXPIRE) end
end

local costs = false
if (state.costs or 0) ~= ask.costs or state.id ~= ask.id then
  costs = {}
  for field in pairs(state) do
    if string.sub(field, 1, 5) == 'cost:' then
      costs[#costs + 1], costs[#costs + 2] = string.sub(field, 6), cost_of(string.sub(field, 6))
    end
  end
end
-- Redis returns numbers as whole ones, and ends a list at nil.
return {
  state.id, now, state.window, state.blocked and state.blocked - now or 0, state.foreign or false, not state.unpaced,
  state.reserved - (own and own.held or 0), again, processes, state.costs or 0, state.limit or false,
  state.remaining or false, state.reset or false, state.ends and state.ends - now or false, costs, mine,
}
