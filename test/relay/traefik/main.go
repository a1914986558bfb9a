// Traefik's TCP entry point: its file provider, its router and its proxy, without the HTTP half of the program and without the
// providers for clouds, which take ten minutes to build. Arguments: the address to listen on, the dynamic configuration, and
// whether the entry point has allowACMEByPass.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"time"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/runtime"
	"github.com/traefik/traefik/v3/pkg/provider/file"
	tcprouter "github.com/traefik/traefik/v3/pkg/server/router/tcp"
	tcpservice "github.com/traefik/traefik/v3/pkg/server/service/tcp"
	"github.com/traefik/traefik/v3/pkg/tcp"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
)

const entryPoint = "websecure"

type noMiddlewares struct{}

func (noMiddlewares) BuildChain(context.Context, []string) *tcp.Chain {
	chain := tcp.NewChain()
	return &chain
}

func main() {
	address, path, allowsBypass := os.Args[1], os.Args[2], os.Args[3] == "true"
	read, err := (&file.Provider{Filename: path}).DecodeConfiguration(path)
	check(err)
	configuration := runtime.NewConfig(dynamic.Configuration{TCP: read.TCP})

	transports := read.TCP.ServersTransports
	if transports == nil {
		transports = map[string]*dynamic.TCPServersTransport{}
	}
	transports["default@internal"] = &dynamic.TCPServersTransport{}
	dialers := tcp.NewDialerManager(nil)
	dialers.Update(transports)

	manager := tcprouter.NewManager(
		configuration, tcpservice.NewManager(configuration, dialers), noMiddlewares{}, nil, nil, traefiktls.NewManager(nil), nil,
	)
	router := manager.BuildHandlers(context.Background(), []string{entryPoint})[entryPoint]
	for name, each := range configuration.TCPRouters {
		if len(each.Err) > 0 {
			log.Fatalf("router %s: %v", name, each.Err)
		}
	}
	if allowsBypass {
		router.EnableACMETLSPassthrough()
	}

	listener, err := net.Listen("tcp", address)
	check(err)
	for {
		connection, err := listener.Accept()
		check(err)
		// The entry point's default for its first bytes.
		check(connection.SetReadDeadline(time.Now().Add(60 * time.Second)))
		go router.ServeTCP(connection.(*net.TCPConn))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
