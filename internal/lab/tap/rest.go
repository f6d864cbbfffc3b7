package tap

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// bucketCalls names the event of each write to a bucket by its method and the
// subresource in its query string, and the only read that relight makes of one. Calls
// that are not in the table act on objects, which are data events, or only read.
//
// The names are CloudTrail's, not always the operation's:
// PutBucketLifecycleConfiguration is recorded as PutBucketLifecycle (recorded
// events of versions 1.10 and 1.11, panther-labs/panther-analysis and
// DataDog/stratus-red-team). Source: "Amazon S3 CloudTrail events",
// bucket-level actions,
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
// That list has no names for analytics, intelligent-tiering, inventory and
// metrics configurations; the table uses the operations' names for those.
var bucketCalls = map[string]map[string]string{
	http.MethodGet: {"policy": "GetBucketPolicy"},
	http.MethodPut: {
		"":                    "CreateBucket",
		"accelerate":          "PutAccelerateConfiguration",
		"acl":                 "PutBucketAcl",
		"analytics":           "PutBucketAnalyticsConfiguration",
		"cors":                "PutBucketCors",
		"encryption":          "PutBucketEncryption",
		"intelligent-tiering": "PutBucketIntelligentTieringConfiguration",
		"inventory":           "PutBucketInventoryConfiguration",
		"lifecycle":           "PutBucketLifecycle",
		"logging":             "PutBucketLogging",
		"metrics":             "PutBucketMetricsConfiguration",
		"notification":        "PutBucketNotification",
		"object-lock":         "PutBucketObjectLockConfiguration",
		"ownershipControls":   "PutBucketOwnershipControls",
		"policy":              "PutBucketPolicy",
		"publicAccessBlock":   "PutBucketPublicAccessBlock",
		"replication":         "PutBucketReplication",
		"requestPayment":      "PutBucketRequestPayment",
		"tagging":             "PutBucketTagging",
		"versioning":          "PutBucketVersioning",
		"website":             "PutBucketWebsite",
	},
	http.MethodDelete: {
		"":                    "DeleteBucket",
		"analytics":           "DeleteBucketAnalyticsConfiguration",
		"cors":                "DeleteBucketCors",
		"encryption":          "DeleteBucketEncryption",
		"intelligent-tiering": "DeleteBucketIntelligentTieringConfiguration",
		"inventory":           "DeleteBucketInventoryConfiguration",
		"lifecycle":           "DeleteBucketLifecycle",
		"metrics":             "DeleteBucketMetricsConfiguration",
		"ownershipControls":   "DeleteBucketOwnershipControls",
		"policy":              "DeleteBucketPolicy",
		"publicAccessBlock":   "DeleteBucketPublicAccessBlock",
		"replication":         "DeleteBucketReplication",
		"tagging":             "DeleteBucketTagging",
		"website":             "DeleteBucketWebsite",
	},
}

// notSubresource matches the query parameters that do not name the call's
// target: the SDKs' operation name, a presigned signature.
var notSubresource = regexp.MustCompile(`(?i)^(x-id|x-amz-.*)$`)

// bucketHost matches a virtual host: the bucket comes before S3's own name.
//
// Source: "Virtual hosting of general purpose buckets",
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
var bucketHost = regexp.MustCompile(`^(.+)\.(?:s3[.-].*|localhost)$`)

// bucketOf returns the bucket and the key that a call acts on.
func bucketOf(r *http.Request) (bucket, key string) {
	host, _, _ := strings.Cut(r.Host, ":")
	path := strings.TrimPrefix(r.URL.Path, "/")
	if _, err := netip.ParseAddr(host); err != nil {
		if m := bucketHost.FindStringSubmatch(host); m != nil && m[1] != "s3" {
			return m[1], path
		}
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// bucketCall returns the name and the requestParameters of a call on a bucket, or of one that
// reads an object; the name is "" for a call that is not in the table.
func bucketCall(r *http.Request) (name string, params map[string]any) {
	bucket, key := bucketOf(r)
	if bucket != "" && key != "" && r.Method == http.MethodGet && !slices.ContainsFunc(slices.Collect(maps.Keys(r.URL.Query())), func(k string) bool { return !notSubresource.MatchString(k) }) {
		return "GetObject", map[string]any{"bucketName": bucket, "key": key}
	}
	if bucket == "" || key != "" {
		return "", nil
	}
	// Source: recorded events of PutBucketPolicy and PutBucketLifecycle
	// (DataDog/stratus-red-team): requestParameters has the members of the
	// query string, with "" for a bare subresource, and these two.
	params = map[string]any{"bucketName": bucket, "Host": r.Host}
	calls, bare := bucketCalls[r.Method], true
	for k, v := range r.URL.Query() {
		if notSubresource.MatchString(k) {
			continue
		}
		params[k], bare = v[0], false
		if calls[k] != "" {
			name = calls[k]
		}
	}
	if bare {
		name = calls[""]
	}
	for k, v := range r.Header {
		if k = strings.ToLower(k); k == "x-amz-acl" || strings.HasPrefix(k, "x-amz-grant-") {
			params[k] = v[0]
		}
	}
	return name, params
}

// bucketBody adds the contents of a bucket write's body: a policy is JSON,
// everything else is XML below the name of its root.
func bucketBody(name string, params map[string]any, body []byte) {
	if name == "PutBucketPolicy" {
		var policy any
		if json.Unmarshal(body, &policy) == nil {
			params["bucketPolicy"] = policy
		}
		return
	}
	if root := parseXML(body); root != nil {
		config, ok := laterElement(root).(map[string]any)
		if !ok {
			config = map[string]any{}
		}
		config["xmlns"] = root.xmlns
		params[root.name] = config
	}
}

// A route is a call of a REST service: method and path identify the call.
type route struct {
	method string
	path   *regexp.Regexp // groups become parameters
	name   string         // as in records
}

// routes lists the writes of the REST services that the tap watches for harm to
// functions and schedules, and the calls that relight and its tests make there.
//
// Lambda's names end in the date of the API's path, and some in a revision.
// Recorded events confirm some of them (invictus-ir/aws_dataset, where
// CreateFunction, DeleteFunction, UpdateFunctionCode, AddPermission,
// RemovePermission and similar calls occur); the others follow the same rule.
// Invoke is a data event. Source: "Logging AWS Lambda API calls using AWS
// CloudTrail",
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
// and, for the paths, the API references of Lambda and EventBridge Scheduler.
var routes = map[string][]route{
	"lambda": {
		{http.MethodPost, fullPath(`2015-03-31/functions/?`), "CreateFunction20150331"},
		{http.MethodDelete, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)`), "DeleteFunction20150331"},
		{http.MethodPut, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/code`), "UpdateFunctionCode20150331v2"},
		{http.MethodPut, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/configuration`), "UpdateFunctionConfiguration20150331v2"},
		{http.MethodPost, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/policy`), "AddPermission20150331v2"},
		{http.MethodDelete, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/policy/(?P<statementId>[^/]+)`), "RemovePermission20150331v2"},
		{http.MethodPost, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/versions`), "PublishVersion20150331"},
		{http.MethodPost, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/aliases`), "CreateAlias20150331"},
		{http.MethodPut, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/aliases/(?P<name>[^/]+)`), "UpdateAlias20150331"},
		{http.MethodDelete, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)/aliases/(?P<name>[^/]+)`), "DeleteAlias20150331"},
		{http.MethodPut, fullPath(`2017-10-31/functions/(?P<functionName>[^/]+)/concurrency`), "PutFunctionConcurrency20171031"},
		{http.MethodDelete, fullPath(`2017-10-31/functions/(?P<functionName>[^/]+)/concurrency`), "DeleteFunctionConcurrency20171031"},
		{http.MethodGet, fullPath(`2015-03-31/functions/(?P<functionName>[^/]+)`), "GetFunction20150331v2"},
		{http.MethodPut, fullPath(`2019-09-25/functions/(?P<functionName>[^/]+)/event-invoke-config`), "PutFunctionEventInvokeConfig"},
		{http.MethodPost, fullPath(`2019-09-25/functions/(?P<functionName>[^/]+)/event-invoke-config`), "UpdateFunctionEventInvokeConfig"},
		{http.MethodDelete, fullPath(`2019-09-25/functions/(?P<functionName>[^/]+)/event-invoke-config`), "DeleteFunctionEventInvokeConfig"},
		{http.MethodGet, fullPath(`2015-03-31/event-source-mappings/?`), "ListEventSourceMappings20150331"},
		{http.MethodPost, fullPath(`2015-03-31/event-source-mappings/?`), "CreateEventSourceMapping20150331"},
		{http.MethodPut, fullPath(`2015-03-31/event-source-mappings/(?P<uUID>[^/]+)`), "UpdateEventSourceMapping20150331"},
		{http.MethodDelete, fullPath(`2015-03-31/event-source-mappings/(?P<uUID>[^/]+)`), "DeleteEventSourceMapping20150331"},
	},
	"securityhub": {
		{http.MethodPost, fullPath(`findings/import`), "BatchImportFindings"},
		{http.MethodPost, fullPath(`findings`), "GetFindings"},
		{http.MethodPost, fullPath(`accounts`), "EnableSecurityHub"},
	},
	"scheduler": {
		{http.MethodGet, fullPath(`schedules/(?P<name>[^/]+)`), "GetSchedule"},
		{http.MethodPost, fullPath(`schedules/(?P<name>[^/]+)`), "CreateSchedule"},
		{http.MethodPut, fullPath(`schedules/(?P<name>[^/]+)`), "UpdateSchedule"},
		{http.MethodDelete, fullPath(`schedules/(?P<name>[^/]+)`), "DeleteSchedule"},
		{http.MethodPost, fullPath(`schedule-groups/(?P<name>[^/]+)`), "CreateScheduleGroup"},
		{http.MethodDelete, fullPath(`schedule-groups/(?P<name>[^/]+)`), "DeleteScheduleGroup"},
	},
}

func fullPath(pattern string) *regexp.Regexp { return regexp.MustCompile("^/" + pattern + "$") }

// routed returns the name of a call of a REST service and the parameters in its
// path and query string; the name is "" for a call without a route.
func routed(service string, r *http.Request) (name string, params map[string]any) {
	for _, route := range routes[service] {
		m := route.path.FindStringSubmatch(r.URL.EscapedPath())
		if m == nil || r.Method != route.method {
			continue
		}
		params = map[string]any{}
		for k, v := range r.URL.Query() {
			params[lowerFirst(k)] = v[0]
		}
		for i, k := range route.path.SubexpNames() {
			if k == "" {
				continue
			}
			if v, err := url.PathUnescape(m[i]); err == nil {
				params[k] = v
			}
		}
		return route.name, params
	}
	return "", nil
}

// accountOperation returns the operation of an Account Management call, whose
// path is the operation in lower camel case.
//
// Source:
// https://docs.aws.amazon.com/accounts/latest/reference/API_EnableRegion.html
func accountOperation(r *http.Request) string {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if r.Method != http.MethodPost || name == "" || strings.Contains(name, "/") {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
