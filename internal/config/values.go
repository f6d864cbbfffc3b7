package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lazy"
)

// The checks in this file are about values for which AWS has a grammar or a
// limit. Without them, a wrong value would pass here and AWS would refuse it
// when relight restores.

// prefix checks the beginning of all names. Sources: AWS Systems Manager User Guide,
// "Requirements and constraints for parameter names", because relight's memory is in
// parameters below /<prefix>; CloudTrail API Reference, CreateTrail, Name; Amazon S3
// User Guide, "General purpose bucket naming rules". CloudFormation generates some names
// from that of the stack, and may leave out a hyphen where its own follows.
func (p *problems) prefix(prefix string) {
	if prefix == defaultPrefix {
		return
	}
	p.unless(prefixShape.MatchString(prefix), "prefix %q: use 3 to 20 lower-case letters, digits and hyphens, a letter first", prefix)
	p.unless(!prefixShape.MatchString(prefix) || !prefixTrimmed.MatchString(prefix),
		"prefix %q: a trail's name needs 3 characters, and neither it nor the names that CloudFormation makes keep two hyphens in a row: use a prefix of 3 or more characters, without a hyphen at its end or two in a row", prefix)
	p.unless(!strings.HasPrefix(prefix, "aws") && !strings.HasPrefix(prefix, "ssm"), "prefix %q: the names of parameters may not begin with aws or ssm: use another one", prefix)
	p.unless(!bucketTaken.MatchString(prefix+"-"), "prefix %q: Amazon S3 reserves names that begin like this: use another one", prefix)
}

// flowLogFields lists the fields of a flow log format that relight can ask for:
// versions 2 to 11 without the fields of Amazon ECS and of tags. Source: Amazon
// VPC User Guide, "Flow log records", available fields.
var flowLogFields = strings.Fields(`
	version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
	vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr
	region az-id sublocation-type sublocation-id
	pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path
	reject-reason resource-id encryption-status
	interface-type next-hop-interface-id next-hop-subnet-id next-hop-az-id next-hop-vpc-id next-hop-interface-type
`)

// tagField matches the fields with the values of tags.
var tagField = lazy.Compile(`^(instance|interface|asg)-tag(-2)?$`)

// format checks a flow log format: fields as ${field}, with one blank between
// two of them and nothing else. Source: EC2 API Reference, CreateFlowLogs,
// LogFormat.
func (p *problems) format(field, format string) {
	if format == "" {
		return
	}
	for _, word := range strings.Split(format, " ") {
		name, ok := strings.CutPrefix(word, "${")
		if ok {
			name, ok = strings.CutSuffix(name, "}")
		}
		switch {
		case word == "":
			p.unless(false, "%s %q has a blank too many: write ${field}, with exactly one blank between two fields and none at the beginning or the end", field, format)
			return
		case !ok || !fieldName.MatchString(name):
			p.unless(false, "%s %q: %q is not a field: write ${field}, with exactly one blank between two fields and nothing before, between or after them", field, format, word)
			return
		case strings.HasPrefix(name, "ecs-"):
			// The fields of Amazon ECS require ecs:List… actions, which
			// relight's roles do not have. Source: Service Authorization
			// Reference, CreateFlowLogs.
			p.unless(false, "%s: relight's roles lack the ECS permissions that ${ecs-…} fields need: leave out %s", field, word)
		case tagField.MatchString(name):
			// They require TagFieldSpecifications, and ec2:DescribeTags or
			// autoscaling:DescribeTags, and iam:CreateServiceLinkedRole.
			// Source: Amazon VPC User Guide, "Flow log records".
			p.unless(false, "%s: relight's roles lack the permissions that fields of tags need: leave out %s", field, word)
		default:
			p.unless(slices.Contains(flowLogFields, name), "%s: flow logs have no field %s%s", field, word, suggest(name, flowLogFields))
		}
	}
}

var fieldName = lazy.Compile(`^[a-z0-9-]+$`)

// logGroup checks the name of a log group. Source: CloudWatch Logs API
// Reference, CreateLogGroup.
func (p *problems) logGroup(field, name string) {
	p.unless(catalog.LogGroupShape.MatchString(name), "%s %q is not a log group name: use up to 512 letters, digits and . - _ / #", field, name)
	p.unless(!strings.HasPrefix(name, "aws/"), "%s %q: CloudWatch Logs reserves names that begin with aws/: use another name", field, name)
}

// domain matches the name of a host on the internet: two labels or more.
// Source: RFC 1123, section 2.1.
const domain = `([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?`

var (
	emailShape  = lazy.Compile("^[\\w!#$%&'*+/=?^`{|}~.-]+@" + domain + "$") // RFC 5322, dot-atom
	hostShape   = lazy.Compile(`^` + domain + `$`)
	urlShape    = lazy.Compile(`^https://[\w.~:/?#\[\]@!$&'()*+,;=%-]+$`) // RFC 3986, characters
	phoneShape  = lazy.Compile(`^\+[1-9]\d{6,14}$`)                       // E.164
	queueShape  = lazy.Compile(`^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$`)
	fifoShape   = lazy.Compile(`^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+\.fifo$`)
	lambdaShape = lazy.Compile(`^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,128})?$`)
)

// farTopic checks the topic that carries what the topic of last resort does. Whose it
// is shows only where relight runs. CloudFormation names relight's own topics after
// the stack. A message to a FIFO topic needs a group. Source: SNS API Reference,
// Publish, MessageGroupId.
func (p *problems) farTopic(arn, prefix string) {
	name := arn[strings.LastIndex(arn, ":")+1:]
	switch {
	case strings.HasSuffix(name, ".fifo"):
		p.unless(false, "lastResort.topic %q is a FIFO topic, to which relight cannot publish: use a standard topic", arn)
	case !catalog.TopicShape.MatchString(arn) || strings.Count(arn, ":") != 5:
		p.unless(false, "lastResort.topic %q is not the ARN of a topic: use one such as arn:PARTITION:sns:eu-west-1:444455556666:security", arn)
	case strings.HasPrefix(name, catalog.Baseline{Prefix: prefix}.StackName()+"-"):
		p.unless(false, "lastResort.topic %q is one of relight's own topics: use a topic of another account or region", arn)
	}
}

// subscriber checks the endpoint of a subscription. Source: SNS API Reference,
// Subscribe, Endpoint.
func (p *problems) subscriber(field string, s Subscriber) {
	bad := func(want string) { p.unless(false, "%s.endpoint %q: %s", field, s.Endpoint, want) }
	switch s.Protocol {
	case "email", "email-json":
		if !emailShape.MatchString(s.Endpoint) {
			bad("use an email address such as security@example.com")
		}
	case "https":
		switch u, err := url.Parse(s.Endpoint); {
		case !urlShape.MatchString(s.Endpoint) || err != nil:
			bad("use a URL that begins with https:// and has no blanks; percent-encode special characters")
		case !public(u.Hostname()):
			bad("use a URL with the name or address of a host that SNS reaches over the internet")
		case !goodPort(u):
			bad("use a port from 1 to 65535, or none")
		}
	case "sms":
		if !phoneShape.MatchString(s.Endpoint) {
			bad("use a phone number with + and the country code, without blanks, such as +15555550100")
		}
	case "sqs":
		switch {
		case fifoShape.MatchString(s.Endpoint):
			bad("relight's topic is a standard topic, which cannot deliver to a FIFO queue: use a standard queue")
		case !queueShape.MatchString(s.Endpoint):
			bad("use the queue's ARN, such as arn:PARTITION:sqs:eu-west-1:111122223333:oncall, not its name or URL")
		}
	case "lambda":
		switch {
		case strings.HasSuffix(s.Endpoint, ":$LATEST"):
			bad("Lambda lets nobody add a permission for $LATEST, so no message could reach it: leave it out")
		case !lambdaShape.MatchString(s.Endpoint):
			bad("use the function's ARN, such as arn:PARTITION:lambda:eu-west-1:111122223333:function:oncall, not its name")
		}
	default:
		p.unless(false, "%s.protocol %q: use email, email-json, https, sms, sqs or lambda", field, s.Protocol)
		p.unless(s.Endpoint != "", "%s.endpoint is empty: use an address, a URL or an ARN", field)
	}
}

// public reports whether SNS can reach a host. It delivers to no private
// endpoints. Source: Amazon SNS Developer Guide, "Fanout Amazon SNS
// notifications to HTTPS endpoints".
func public(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return hostShape.MatchString(host)
}

func goodPort(u *url.URL) bool {
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return !strings.HasSuffix(u.Host, ":") && (u.Port() == "" || err == nil && n > 0)
}

// Limits of tags. Source: AWS General Reference, "Tagging your AWS resources",
// tag naming limits.
const (
	tagsPerResource = 50
	tagKey          = 128 // characters
	tagValue        = 256 // characters
)

var tagShape = lazy.Compile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// tags checks tags against the strictest rules of what gets them: a stack's tag
// needs a value, and a role's keys differ in more than case. Sources:
// CloudFormation API Reference, Tag; IAM User Guide, "Tags for AWS Identity and
// Access Management resources", case sensitivity.
func (p *problems) tags(tags map[string]string) {
	keys := map[string]string{} // by key in lower case
	for _, k := range sortedKeys(tags) {
		v, folded := tags[k], strings.ToLower(k)
		p.unless(keys[folded] == "", "tags: %q and %q differ only in case, and the keys of a role's tags must differ in more: remove one", keys[folded], k)
		keys[folded] = k
		p.unless(k != "" && utf8.RuneCountInString(k) <= tagKey, "tags: the key %q has %d characters: use 1 to %d", k, utf8.RuneCountInString(k), tagKey)
		p.unless(v != "", "tags.%s: the value is empty: use 1 to %d characters, because CloudFormation accepts no empty one", k, tagValue)
		p.unless(utf8.RuneCountInString(v) <= tagValue, "tags.%s: the value has %d characters: use up to %d", k, utf8.RuneCountInString(v), tagValue)
		p.unless(tagShape.MatchString(k), "tags: the key %q: use letters, digits, blanks and _ . : / = + - @", k)
		p.unless(tagShape.MatchString(v), "tags.%s: the value %q: use letters, digits, blanks and _ . : / = + - @", k, v)
		p.unless(!reserved(k), "tags: %q: AWS reserves keys that begin with aws: : use another one", k)
		p.unless(!reserved(v), "tags.%s: %q: AWS reserves values that begin with aws: : use another one", k, v)
		p.unless(!strings.EqualFold(k, catalog.OwnerTag), "tags: %q is the tag that marks what relight creates: use another key", k)
	}
	p.unless(len(tags) < tagsPerResource, "tags: %d tags: use up to %d, because relight adds one and AWS accepts %d", len(tags), tagsPerResource-1, tagsPerResource)
}

func reserved(s string) bool { return strings.HasPrefix(strings.ToLower(s), "aws:") }

// key checks the ARN of a KMS key. A region, if given, must be the key's own: a
// key encrypts only in its own region, also a multi-Region key, which has an ARN
// for each. Sources: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch
// Logs using AWS Key Management Service", step 2; AWS KMS Developer Guide,
// "Multi-Region keys in AWS KMS".
func (p *problems) key(field, arn, region string) {
	if !keyShape.MatchString(arn) {
		p.unless(false, "%s %q is not the ARN of a KMS key: use one such as arn:PARTITION:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", field, arn)
		return
	}
	if own := strings.Split(arn, ":")[3]; region != "" {
		p.unless(own == region, "%s: the key is in %s, and a key encrypts only in its own region: use a key in %s", field, own, region)
	}
}

// region checks the name of a region.
func (p *problems) region(field, region string) {
	p.unless(catalog.IsRegion(region), "%s%q is not an AWS region: use the name of one, such as eu-west-1", field, region)
}

// onePartition checks that everything that the configuration names is in one
// partition, because partitions share no accounts, no credentials and no event
// buses. Source: AWS Whitepaper "AWS Fault Isolation Boundaries", partitions.
func (c Config) onePartition(p *problems) {
	type place struct{ field, partition string }
	var places []place
	region := func(field, r string) {
		if r == "" {
			return
		}
		if in, known := catalog.PartitionOf(r); known {
			places = append(places, place{fmt.Sprintf("%s %q", field, r), in.ID})
		}
	}
	arn := func(field, a string) {
		parts := strings.SplitN(a, ":", 5)
		if len(parts) < 5 || parts[0] != "arn" {
			return // its own check says so
		}
		places = append(places, place{fmt.Sprintf("%s %q", field, a), parts[1]})
		if r := parts[3]; r != "" {
			in, _ := catalog.PartitionOf(r)
			p.unless(catalog.IsRegion(r) && in.ID == parts[1], "%s %q: %q is not a region of partition %s: copy the ARN from the resource itself, or use another resource", field, a, r, parts[1])
		}
	}
	region("homeRegion", c.HomeRegion)
	for _, r := range c.Regions {
		region("regions:", r)
	}
	for _, r := range c.SkipRegions {
		region("skipRegions:", r)
	}
	for _, a := range slices.Concat(c.Adopt.Topics, c.Adopt.FlowLogs) {
		arn("adopt:", a)
	}
	for _, a := range c.Pause.By {
		arn("pause.by:", a)
	}
	to := c.FlowLogs.destinations()
	for _, field := range sortedKeys(to) {
		arn(field+".arn", strings.ReplaceAll(to[field].ARN, catalog.InEachRegion, ""))
		arn(field+".roleArn", to[field].RoleARN)
		arn(field+".crossAccountRoleArn", to[field].CrossAccountRoleARN)
	}
	for _, r := range sortedKeys(c.KMSKeys) {
		region("kmsKeys:", r)
		arn("kmsKeys."+r, c.KMSKeys[r])
	}
	arn("trail.name", c.Trail.Name)
	arn("trail.keyArn", c.Trail.KeyARN)
	arn("trail.roleArn", c.Trail.RoleARN)
	for i, s := range c.Subscribers {
		if s.Protocol == "sqs" || s.Protocol == "lambda" {
			arn(fmt.Sprintf("subscribers[%d].endpoint", i), s.Endpoint)
		}
	}
	for i, s := range c.LastResort.Subscribers {
		if s.Protocol == "sqs" || s.Protocol == "lambda" {
			arn(fmt.Sprintf("lastResort.subscribers[%d].endpoint", i), s.Endpoint)
		}
	}
	arn("lastResort.topic", c.LastResort.Topic)
	arn("permissionsBoundary", c.PermissionsBoundary)
	for _, at := range places {
		if !slices.Contains(catalog.PartitionIDs(), at.partition) {
			p.unless(false, "%s is in partition %q, which does not exist: use one of %s", at.field, at.partition, strings.Join(catalog.PartitionIDs(), ", "))
			continue
		}
		p.unless(at.partition == places[0].partition, "%s is in partition %s, but %s is in %s: partitions share no accounts, so deploy relight in each with a configuration of its own",
			at.field, at.partition, places[0].field, places[0].partition)
	}
}
