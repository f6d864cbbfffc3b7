package tap

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A protocol is how a service's clients write requests.
type protocol int

const (
	rest      protocol = iota // S3 objects, calls of unknown path: passed on and listed, never recorded
	restXML                   // S3 buckets: method and query string name the operation
	restJSON                  // Lambda, Scheduler, Account Management: method and path name the operation
	jsonRPC                   // X-Amz-Target and a JSON body
	cborRPC                   // Smithy RPC v2 CBOR: the path names the operation
	queryForm                 // Action=... as a form
)

// A request is the part of a call that the tap reads before it passes the call
// on.
type request struct {
	at        time.Time
	proto     protocol
	service   string
	operation string
	region    string
	accessKey string
	id        Identity
	params    map[string]any // as on the wire, decoded (for a bucket: as recorded); nil for rest
	before    map[string]Alarm

	sourceIP     string
	userAgent    string
	invocationID string
	attempt      int
}

// scope matches the access key, region and service that a call was signed for:
// "KEY/20261121/eu-west-1/ec2/aws4_request".
//
// Source: "Elements of an AWS API request signature",
// https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html
var scope = regexp.MustCompile(`^([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request`)

var (
	credential = regexp.MustCompile(`Credential=([^,\s]+)`)
	operation  = regexp.MustCompile(`/operation/([A-Za-z0-9]+)`)
	attempt    = regexp.MustCompile(`attempt=(\d+)`)
)

func readRequest(r *http.Request) (*request, error) {
	q := &request{
		at:           time.Now(),
		userAgent:    r.UserAgent(),
		invocationID: r.Header.Get("Amz-Sdk-Invocation-Id"),
	}
	q.sourceIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	if m := attempt.FindStringSubmatch(r.Header.Get("Amz-Sdk-Request")); m != nil {
		q.attempt, _ = strconv.Atoi(m[1])
	}
	signed := r.URL.Query().Get("X-Amz-Credential")
	if m := credential.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		signed = m[1]
	}
	if m := scope.FindStringSubmatch(signed); m != nil {
		q.accessKey, q.region, q.service = m[1], m[2], m[3]
	}
	return q, q.readOperation(r)
}

// readOperation finds protocol, operation and parameters. It reads the body
// only for protocols that need that, and restores it.
func (q *request) readOperation(r *http.Request) error {
	target, kind := r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type")
	switch {
	case q.service == "s3": // whatever its headers say
		if q.operation, q.params = bucketCall(r); q.operation != "" {
			q.proto = restXML
		}
	case len(routes[q.service]) > 0:
		if q.operation, q.params = routed(q.service, r); q.operation != "" {
			q.proto = restJSON
		}
	case q.service == "account":
		if q.operation = accountOperation(r); q.operation != "" {
			q.proto = restJSON
		}
	case target != "":
		q.proto, q.operation = jsonRPC, target[strings.LastIndex(target, ".")+1:]
	case strings.HasPrefix(r.URL.Path, "/service/") && operation.MatchString(r.URL.Path):
		q.proto, q.operation = cborRPC, operation.FindStringSubmatch(r.URL.Path)[1]
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"), r.URL.Query().Has("Action"):
		q.proto = queryForm
	}
	if q.proto == rest {
		q.operation, q.params = r.Method+" "+r.URL.Path, nil
		return nil
	}
	body, err := readBody(r)
	if err != nil {
		return fmt.Errorf("tap: read the request body: %w", err)
	}
	// The service itself refuses a body that does not parse.
	switch q.proto {
	case jsonRPC:
		q.params, _ = decodeJSON(body)
	case restJSON:
		said, _ := decodeJSON(body)
		for k, v := range q.params { // of path and query string
			said = set(said, k, v)
		}
		q.params = said
	case restXML:
		bucketBody(q.operation, q.params, body)
	case cborRPC:
		q.params, _ = decodeCBOR(body)
	case queryForm:
		form, _ := url.ParseQuery(string(body))
		for name, values := range r.URL.Query() {
			form[name] = values
		}
		q.operation = form.Get("Action")
		q.params = queryTree(form)
	}
	return nil
}

// set returns m with one more member; it makes m if m is nil.
func set(m map[string]any, k string, v any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[k] = v
	return m
}

// readBody returns the inflated body, and leaves the body of r as it was.
//
// Source: Smithy requestCompression trait, which PutMetricData has:
// https://smithy.io/2.0/spec/behavior-traits.html#requestcompression-trait
func readBody(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	if !strings.Contains(r.Header.Get("Content-Encoding"), "gzip") {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, nil //nolint:nilerr // the service's to refuse
	}
	plain, _ := io.ReadAll(z)
	return plain, nil
}

// write reports whether the call is a management event that changes something;
// CloudTrail puts such events on EventBridge.
func (q *request) write() bool {
	return q.proto != rest && q.operation != "" && !isRead(q.service, q.operation) && !isData(q.service, q.operation)
}

func (q *request) call() Call {
	c := Call{
		Time: q.at, Service: q.service, Operation: q.operation, Region: q.region,
		Account: q.id.AccountID, Principal: q.id.ARN, UserAgent: q.userAgent,
		InvocationID: q.invocationID, Attempt: q.attempt, Write: q.write(),
	}
	if q.id.Issuer != nil {
		c.Role = q.id.Issuer.ARN
	}
	if c.Write {
		c.Params = requestParameters(q)
	}
	return c
}
