/* ports.h - the ports of Stoker's services: HTTP, gRPC, the monitor. */
#ifndef BASE_PORTS_H
#define BASE_PORTS_H

#define STOKER_PORTS "8000,8001,8002"

#endif
