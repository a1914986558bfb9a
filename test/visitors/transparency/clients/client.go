// Sends the requests of a file with net/http, and prints an answer on each line.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"
)

type plan struct {
	Origin string
	Ca     string
	Visits []struct {
		Method string
		Path   string
		Upload *int
	}
}

type answer struct {
	Status   int         `json:"status"`
	Reason   string      `json:"reason"`
	Fields   [][2]string `json:"fields"`
	Trailers [][2]string `json:"trailers"`
	Body     []byte      `json:"body"`
	Whole    bool        `json:"whole"`
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	check(err)
	var all plan
	check(json.Unmarshal(text, &all))
	client := &http.Client{
		Transport:     transport(all.Ca, os.Args[1] == "HTTP/2"),
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	out := json.NewEncoder(os.Stdout)
	for _, visit := range all.Visits {
		var body io.Reader
		if visit.Upload != nil {
			body = strings.NewReader(strings.Repeat("x", *visit.Upload))
		}
		request, err := http.NewRequest(visit.Method, all.Origin+visit.Path, body)
		check(err)
		check(out.Encode(read(client, request)))
	}
}

func transport(ca string, isHttp2 bool) *http.Transport {
	dialer := &net.Dialer{}
	transport := &http.Transport{
		DisableCompression: true,
		ForceAttemptHTTP2:  isHttp2,
		// Names under .localhost are not in every resolver.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		check(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	if !isHttp2 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return transport
}

func read(client *http.Client, request *http.Request) answer {
	response, err := client.Do(request)
	if err != nil {
		return answer{Fields: [][2]string{}, Trailers: [][2]string{}, Body: []byte{}}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	_, reason, _ := strings.Cut(response.Status, " ")
	return answer{response.StatusCode, reason, pairs(response.Header), pairs(response.Trailer), body, err == nil}
}

func pairs(header http.Header) [][2]string {
	result := [][2]string{}
	for name, values := range header {
		for _, value := range values {
			result = append(result, [2]string{name, value})
		}
	}
	sort.SliceStable(result, func(i, j int) bool { return result[i][0] < result[j][0] })
	return result
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
