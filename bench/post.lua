-- wrk: POST the file BODY_FILE; extra headers as "Name: value" in HEADER.
local f = io.open(os.getenv("BODY_FILE"), "rb")
wrk.method = "POST"
wrk.body = f:read("*a")
f:close()
wrk.headers["Content-Type"] = os.getenv("BODY_TYPE") or "application/json"
local name, value = (os.getenv("HEADER") or ""):match("^(.-): (.*)$")
if name then wrk.headers[name] = value end
