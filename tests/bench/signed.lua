-- wrk script: Motive events of about 600 bytes, each with an id of its own, each signed. The id stands at the end of
-- the body, so that the SHA-1 of what is before it is computed once; a request then costs the client two short hashes.
-- Arguments (after --): SECRET RUN, where RUN keeps the ids of several runs apart.
local ffi = require("ffi")
ffi.cdef [[
typedef struct { uint32_t h[5], low, high, data[16]; unsigned num; } SHA_CTX;
int SHA1_Init(SHA_CTX *);
int SHA1_Update(SHA_CTX *, const void *, size_t);
int SHA1_Final(unsigned char *, SHA_CTX *);
]]
local crypto = ffi.load("libcrypto.so.3")

local counter = 0
function setup(thread)
	thread:set("thread_number", counter)
	counter = counter + 1
end

local ID_BYTES = 12
local inner, outer, ctx = ffi.new("SHA_CTX"), ffi.new("SHA_CTX"), ffi.new("SHA_CTX")
local digest = ffi.new("unsigned char[20]")
local request_buffer, request_bytes, signature_at, id_at, tail, tail_bytes
local number

local function key_block(key, with)
	local block = ffi.new("unsigned char[64]")
	for i = 0, 63 do
		block[i] = bit.bxor(i < #key and key:byte(i + 1) or 0, with)
	end
	return block
end

function init(args)
	local secret, run = args[1], tonumber(args[2])
	local front = '{"action":"speeding_event_created","max_over_speed_in_kph":15.715800000000002,' ..
		'"avg_over_speed_in_kph":12.358282941176471,"min_posted_speed_limit_in_kph":48.2802,' ..
		'"max_posted_speed_limit_in_kph":48.2802,"avg_vehicle_speed":60.59663658536588,"min_vehicle_speed":58.0001,' ..
		'"max_vehicle_speed":63.996,"duration":83,"start_lat":43.0301183,"start_lon":-78.8308857,"end_lat":43.0217879,' ..
		'"end_lon":-78.843557,"type":"posted","start_time":"2023-04-17T13:46:04Z","end_time":"2023-04-17T13:47:27Z",' ..
		'"coaching_status":"pending_review","status":"valid","driver_id":1,"vehicle_id":12,' ..
		'"metadata":{"severity":"medium","trigger":"speeding"},"id":'
	local id = string.rep("0", ID_BYTES)
	local body = front .. id .. "}"
	local head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: " ..
		#body .. "\r\nX-KT-Webhook-Signature: "
	local whole = head .. string.rep("0", 40) .. "\r\n\r\n" .. body
	request_bytes = #whole
	request_buffer = ffi.new("char[?]", request_bytes + 1, whole)
	signature_at, id_at = #head, #whole - 1 - ID_BYTES
	tail_bytes = ID_BYTES + 1
	crypto.SHA1_Init(inner)
	crypto.SHA1_Update(inner, key_block(secret, 0x36), 64)
	crypto.SHA1_Update(inner, front, #front)
	crypto.SHA1_Init(outer)
	crypto.SHA1_Update(outer, key_block(secret, 0x5c), 64)
	-- twelve digits: no leading zero, two for the run, one for the thread, eight to count
	number = 100000000000 + run * 1000000000 + thread_number * 100000000
end

local hex = {}
for i = 0, 255 do
	local text = string.format("%02x", i)
	hex[i] = { text:byte(1), text:byte(2) }
end

function request()
	number = number + 1
	local left = number
	for i = ID_BYTES - 1, 0, -1 do
		local digit = left % 10
		request_buffer[id_at + i] = 48 + digit
		left = (left - digit) / 10
	end
	ffi.copy(ctx, inner, ffi.sizeof(ctx))
	crypto.SHA1_Update(ctx, request_buffer + id_at, tail_bytes)
	crypto.SHA1_Final(digest, ctx)
	ffi.copy(ctx, outer, ffi.sizeof(ctx))
	crypto.SHA1_Update(ctx, digest, 20)
	crypto.SHA1_Final(digest, ctx)
	for i = 0, 19 do
		local pair = hex[digest[i]]
		request_buffer[signature_at + 2 * i] = pair[1]
		request_buffer[signature_at + 2 * i + 1] = pair[2]
	end
	return ffi.string(request_buffer, request_bytes)
end

-- One line for the caller: rate, p50 and p99 in microseconds, answers other than 2xx and 3xx, broken connections.
function done(summary, latency, requests)
	io.write(string.format("RESULT %.0f %d %d %d %d\n", summary.requests / summary.duration * 1e6,
		latency:percentile(50), latency:percentile(99), summary.errors.status,
		summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
