package tap

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"strings"
)

// A reply is the part of a service's answer that the tap reads.
type reply struct {
	status    int
	requestID string
	code      string // as in records; "" for success
	message   string
	elements  map[string]any // responseElements; nil for null
	undone    string         // see Call.Undone
}

// readReply reads the body if a record needs it, and restores it. It does not
// read the replies of successful reads, because some never end.
func readReply(q *request, resp *http.Response) (reply, error) {
	rep := reply{status: resp.StatusCode, requestID: cmp.Or(resp.Header.Get("X-Amzn-Requestid"), resp.Header.Get("X-Amz-Request-Id"))}
	failed := resp.StatusCode >= 400
	if !failed && !q.write() {
		return rep, nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return rep, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if failed {
		rep.readError(q, resp.Header, body)
		return rep, nil
	}
	switch q.proto {
	case jsonRPC, restJSON:
		m, _ := decodeJSON(body)
		rep.set(camel(m))
	case cborRPC:
		m, _ := decodeCBOR(body)
		rep.set(camel(m))
	case queryForm:
		root := parseXML(body)
		if root == nil {
			break
		}
		if q.service == "ec2" {
			rep.requestID = root.textOf("requestId")
			rep.set(ec2Response(q.operation, root))
			rep.undone = undone(q, root)
		} else if result := root.find(q.operation + "Result"); result != nil {
			rep.set(queryResponse(result))
		}
	}
	return rep, nil
}

// undone returns the first error code of a reply of EC2 that reports a failure
// for each resource of the request. Source: EC2 API Reference, CreateFlowLogs
// and DeleteFlowLogs, Unsuccessful.
func undone(q *request, root *element) string {
	failures := root.find("unsuccessful")
	if failures == nil || len(failures.children) == 0 {
		return ""
	}
	for name, v := range q.params {
		if asked, ok := v.([]any); ok && strings.HasSuffix(name, "Id") && len(asked) > len(failures.children) {
			return ""
		}
	}
	return failures.textOf("code")
}

func (r *reply) set(elements any) {
	if m, ok := elements.(map[string]any); ok && !isEmpty(m) {
		r.elements, _ = withoutSecrets(m).(map[string]any)
	}
}

// readError reads code and message from their place in the protocol.
func (r *reply) readError(q *request, h http.Header, body []byte) {
	var m map[string]any
	if q.proto == cborRPC {
		m, _ = decodeCBOR(body)
	} else {
		m, _ = decodeJSON(body)
	}
	r.code, _ = m["__type"].(string)
	r.message, _ = m["message"].(string)
	if r.message == "" {
		r.message, _ = m["Message"].(string)
	}
	if r.code == "" {
		r.code = h.Get("X-Amzn-Errortype")
	}
	if root := parseXML(body); root != nil {
		r.code, r.message = root.textOf("Code"), root.textOf("Message")
	}
	r.code, _, _ = strings.Cut(r.code[strings.LastIndex(r.code, "#")+1:], ":")
	if r.code == "" {
		r.code = http.StatusText(r.status)
	}
	// Source: recorded events. A denied call is AccessDenied in every protocol
	// except EC2's, which uses UnauthorizedOperation.
	if r.code == "AccessDeniedException" {
		r.code = "AccessDenied"
	}
	if q.service == "ec2" {
		side := "Client."
		if r.status >= 500 {
			side = "Server."
		}
		r.code = side + r.code
	}
}

// unauthenticated lists the error codes of calls without a known caller, which
// CloudTrail does not record. Source: "Common error types",
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
var unauthenticated = map[string]bool{
	"AuthFailure": true, "ExpiredToken": true, "ExpiredTokenException": true, "IncompleteSignature": true,
	"InvalidAccessKeyId": true, "InvalidClientTokenId": true, "InvalidSignatureException": true,
	"InvalidToken": true, "MissingAuthenticationToken": true, "MissingAuthenticationTokenException": true,
	"RequestExpired": true, "SignatureDoesNotMatch": true, "UnrecognizedClientException": true,
}

// authenticated reports whether the service knew the caller.
func (r reply) authenticated() bool {
	return !unauthenticated[strings.TrimPrefix(r.code, "Client.")]
}

// denied reports whether the call was refused because a permission is missing.
func (r reply) denied() bool {
	return r.code == "AccessDenied" || r.code == "Client.UnauthorizedOperation"
}
