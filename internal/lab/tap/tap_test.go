package tap

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	account = "111122223333"
	root    = "111122223333" // access key of the root user
	lambda  = "ASIAEXAMPLE"  // access key of a function's session
)

// fake is the account behind the tap: it answers every call with the same reply
// and stores what the tap puts on buses.
type fake struct {
	t     *testing.T
	tap   *Tap
	front *httptest.Server

	status  int
	headers map[string]string
	body    string
	seen    *http.Request // last request that arrived
	sent    []byte        // its body
	during  func()        // runs before the reply

	mu     sync.Mutex
	put    []Event
	putErr func(Event) error
	alarms []map[string]Alarm // one for each look-up
	asked  int                // number of identity look-ups
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, status: 200}
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.seen = r
		f.sent, _ = io.ReadAll(r.Body)
		if f.during != nil {
			f.during()
		}
		if f.status == 0 {
			panic(http.ErrAbortHandler) // drops the connection
		}
		for k, v := range f.headers {
			w.Header().Set(k, v)
		}
		w.WriteHeader(f.status)
		io.WriteString(w, f.body)
	}))
	t.Cleanup(back.Close)
	u, err := url.Parse(back.URL)
	if err != nil {
		t.Fatal(err)
	}
	f.tap = New(u, f)
	f.front = httptest.NewServer(f.tap)
	t.Cleanup(f.front.Close)
	t.Cleanup(func() { f.tap.Close(context.Background()) })
	return f
}

func (f *fake) Put(_ context.Context, e Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.putErr != nil {
		if err := f.putErr(e); err != nil {
			return err
		}
	}
	f.put = append(f.put, e)
	return nil
}

func (f *fake) Identity(_ context.Context, key string) (Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	switch key {
	case root:
		return Identity{Type: "Root", PrincipalID: account, ARN: "arn:aws:iam::" + account + ":root", AccountID: account}, nil
	case lambda:
		return Identity{
			Type: "AssumedRole", PrincipalID: "AROAEXAMPLE:fn", AccountID: account,
			ARN:    "arn:aws:sts::" + account + ":assumed-role/fn-role/fn",
			Since:  time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
			Issuer: &Issuer{"Role", "AROAEXAMPLE", "arn:aws:iam::" + account + ":role/fn-role", account, "fn-role"},
		}, nil
	}
	return Identity{}, nil
}

func (f *fake) Alarms(context.Context, string, string, []string) (map[string]Alarm, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.alarms) == 0 {
		return nil, nil
	}
	next := f.alarms[0]
	f.alarms = f.alarms[1:]
	return next, nil
}

// A wire is a request as a client writes it.
type wire struct {
	key     string // access key; default root's
	service string
	region  string // default eu-west-1
	method  string // default POST
	path    string
	host    string // if it differs from the tap's address
	headers map[string]string
	body    string
}

func (f *fake) send(w wire) *http.Response {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), cmp.Or(w.method, http.MethodPost), f.front.URL+"/"+w.path, strings.NewReader(w.body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+cmp.Or(w.key, root)+"/20261121/"+
		cmp.Or(w.region, "eu-west-1")+"/"+w.service+"/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
	for k, v := range w.headers {
		req.Header.Set(k, v)
	}
	req.Host = w.host
	client := http.Client{Transport: &http.Transport{DisableCompression: true}} // so that the transport adds no header of its own
	f.t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// events returns the events that reached the buses.
func (f *fake) events() []Event {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 5*time.Second)
	defer cancel()
	if err := f.tap.Flush(ctx); err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.put)
}

func form() map[string]string {
	return map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
}

func target(name string) map[string]string {
	return map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": name}
}

// decoded returns JSON as a generic value, with numbers as float64.
func decoded(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}

// The request arrives as it was sent; otherwise its signature would not verify.
func TestPassesThroughUnchanged(t *testing.T) {
	f := newFake(t)
	f.headers = map[string]string{"X-Amzn-Requestid": "r-1", "Content-Type": "text/xml"}
	f.body = "<CreateVpcResponse><vpc/></CreateVpcResponse>"
	w := wire{service: "ec2", body: "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16", headers: form()}
	w.headers["Amz-Sdk-Request"] = "attempt=2; max=3"
	resp := f.send(w)

	if got := string(f.sent); got != w.body {
		t.Errorf("body arrived as %q, want %q", got, w.body)
	}
	if want := strings.TrimPrefix(f.front.URL, "http://"); f.seen.Host != want {
		t.Errorf("Host arrived as %q, want %q", f.seen.Host, want)
	}
	want := []string{"Amz-Sdk-Request", "Authorization", "Connection", "Content-Length", "Content-Type", "User-Agent"}
	if got := slices.Sorted(maps.Keys(f.seen.Header)); !slices.Equal(got, want) {
		t.Errorf("headers arrived as %q, want %q", got, want)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != f.body || resp.Header.Get("X-Amzn-Requestid") != "r-1" {
		t.Errorf("reply %q with headers %v, %v", body, resp.Header, err)
	}
}

// A chunked body has no length when it is sent, and none when it arrives.
func TestPassesChunkedBodies(t *testing.T) {
	f := newFake(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.front.URL, io.MultiReader(strings.NewReader(`{"logGroupName":`), strings.NewReader(`"g"}`)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+root+"/20261121/eu-west-1/logs/aws4_request")
	req.Header.Set("X-Amz-Target", "Logs_20140328.DeleteLogGroup")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := f.seen.ContentLength; got != -1 || !bytes.Equal(f.sent, []byte(`{"logGroupName":"g"}`)) {
		t.Errorf("arrived with length %d as %s", got, f.sent)
	}
	if got := len(f.events()); got != 1 {
		t.Errorf("%d events, want 1", got)
	}
}

// The tap also identifies a client that signs its query string and sends no
// Authorization header.
func TestPresigned(t *testing.T) {
	f := newFake(t)
	resp, err := http.Get(f.front.URL + "/?Action=DeleteTopic&TopicArn=arn%3At&X-Amz-Credential=" +
		url.QueryEscape(root+"/20261121/eu-west-1/sns/aws4_request"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := f.events()
	if len(got) != 1 || got[0].Source != "aws.sns" || got[0].Region != "eu-west-1" {
		t.Errorf("events %+v, want one of aws.sns in eu-west-1", got)
	}
}

// The Go SDK compresses large bodies of some operations.
func TestCompressedRequest(t *testing.T) {
	f := newFake(t)
	f.body = "{}"
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	io.WriteString(w, `{"logGroupName":"g"}`)
	w.Close()
	sent := wire{service: "logs", headers: target("Logs_20140328.DeleteLogGroup"), body: z.String()}
	sent.headers["Content-Encoding"] = "gzip"
	f.send(sent)
	if got := f.tap.Calls(nil)[0].Params["logGroupName"]; got != "g" || string(f.sent) != z.String() {
		t.Errorf("group %v, and the body arrived as %d bytes of %d", got, len(f.sent), z.Len())
	}
}
