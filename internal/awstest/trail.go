package awstest

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// A trail is a CloudTrail trail with what GetTrailStatus and GetEventSelectors
// return for it.
type trail struct {
	types.Trail
	logging  bool
	failure  string // of its delivery to the bucket
	stale    string // error of an earlier delivery to the log group
	basic    []types.EventSelector
	advanced []types.AdvancedEventSelector
}

func (t *trail) state() any {
	return map[string]any{"trail": t.Trail, "logging": t.logging, "basic": t.basic, "advanced": t.advanced}
}

// everything selects all management events, as a new trail does. Source:
// CloudTrail User Guide, "Logging management events".
func everything() []types.EventSelector {
	return []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
		DataResources: []types.DataResource{}, ExcludeManagementEventSources: []string{},
	}}
}

// trailsPerRegion is a quota that cannot be raised. Source: CloudTrail User
// Guide, "Quotas in AWS CloudTrail".
const trailsPerRegion = 5

// Limits of a trail's event selectors. Source: CloudTrail User Guide, "Quotas in
// AWS CloudTrail".
const (
	dataResources  = 250
	selectorValues = 500
)

// trailNames matches a trail's name. Source: CloudTrail API Reference,
// CreateTrail, Name.
var trailNames = regexp.MustCompile(`^[A-Za-z0-9]([._-]?[A-Za-z0-9]+)+$`)

// AddTrail adds a trail that logs all management events. In a member account,
// an organisation's trail has the ARNs of its owner. Source: CloudTrail API
// Reference, Trail.
func (a *Account) AddTrail(t types.Trail) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.Name == nil {
		t.Name = aws.String((*t.TrailARN)[strings.LastIndex(*t.TrailARN, "/")+1:])
	}
	a.trails[*t.TrailARN] = &trail{Trail: t, logging: true, basic: everything()}
}

// RemoveTrail removes a trail.
func (a *Account) RemoveTrail(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.trails, arn)
}

// AddBucket makes a bucket whose policy allows CloudTrail to write.
func (a *Account) AddBucket(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.buckets[name] = true
}

// RemoveBucket removes a bucket; trails that write to it fail from then on.
func (a *Account) RemoveBucket(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.buckets, name)
	for _, t := range a.trails {
		if aws.ToString(t.S3BucketName) == name {
			t.failure = "NoSuchBucket"
		}
	}
}

// AddTrailTo adds a healthy multi-region trail whose home is the account's home
// region, with its bucket, its role and the log group that it delivers to. It
// returns the trail's ARN.
func (a *Account) AddTrailTo(name, group string) string {
	_, err := a.Logs.CreateLogGroup(context.Background(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)})
	if err != nil {
		panic("awstest: " + err.Error()) // a mistake in the test itself
	}
	role := a.arn("iam", "", "role/"+name+"-delivery")
	a.AddRole(role, 0)
	a.AddBucket(name + "-" + a.ID)
	t := types.Trail{
		Name: aws.String(name), TrailARN: aws.String(a.arn("cloudtrail", a.Home, "trail/"+name)), S3BucketName: aws.String(name + "-" + a.ID),
		HomeRegion: aws.String(a.Home), IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(false),
		IncludeGlobalServiceEvents: aws.Bool(true), LogFileValidationEnabled: aws.Bool(true),
		CloudWatchLogsLogGroupArn: aws.String(a.arn("logs", a.Home, "log-group:"+group+":*")),
		CloudWatchLogsRoleArn:     aws.String(role),
	}
	a.AddTrail(t)
	return *t.TrailARN
}

// AddTrailTopic makes a topic that CloudTrail may publish to, and returns its ARN.
// Source: CloudTrail User Guide, "Amazon SNS topic policy for CloudTrail".
func (a *Account) AddTrailTopic(name string) string {
	arn := a.AddTopic(a.Home, name, 0)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[a.Home].topics[arn].attributes["Policy"] = strings.ReplaceAll(admits(arn), "cloudwatch.amazonaws.com", "cloudtrail.amazonaws.com")
	return arn
}

// Select makes a trail record no management events, only data events. The trail
// may be of another account.
func (a *Account) Select(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trails[arn].basic = []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(false), ExcludeManagementEventSources: []string{},
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3"}}},
	}}
}

// LeaveOrganization makes CloudTrail refuse organisation trails of the account.
// Source: CloudTrail API Reference, CreateTrail, Errors.
func (a *Account) LeaveOrganization() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outside = true
}

// find returns a trail by name or ARN, as seen from a region. It finds a name
// only among the region's own trails. Source: CloudTrail API Reference,
// GetTrailStatus, Name: a shadow trail needs its ARN.
func (c *request) find(name *string) (*trail, error) {
	for arn, t := range c.trails {
		here := aws.ToString(t.HomeRegion) == c.name
		if arn == aws.ToString(name) && (here || aws.ToBool(t.IsMultiRegionTrail)) || here && aws.ToString(t.Name) == aws.ToString(name) {
			return t, nil
		}
	}
	return nil, refuse("TrailNotFoundException", "Unknown trail: %s", aws.ToString(name))
}

// mine returns a trail that a call may change: it belongs to the account, and
// the call is made in its home region. A delegated administrator, which has the log
// group, may change the organisation's trail. Sources: CloudTrail API Reference,
// UpdateTrail, Errors; CloudTrail User Guide, "Organization delegated administrator".
func (c *request) mine(name *string) (*trail, error) {
	t, err := c.find(name)
	if err != nil {
		return nil, err
	}
	group, _ := awsarn.Parse(aws.ToString(t.CloudWatchLogsLogGroupArn)) // "" is no ARN
	delegated := aws.ToBool(t.IsOrganizationTrail) && group.AccountID == c.ID
	switch arn, err := awsarn.Parse(*t.TrailARN); {
	case err != nil || arn.AccountID != c.ID && !delegated:
		return nil, refuse("NotOrganizationMasterAccountException", "the trail is of another account")
	case aws.ToString(t.HomeRegion) != c.name:
		return nil, refuse("InvalidHomeRegionException", "Trail %s can be changed only in its home region %s", *t.TrailARN, *t.HomeRegion)
	}
	return t, nil
}

// describeTrails lists the trails of a region, with the shadow trails from
// other home regions unless the request excludes them. It does not page.
// Source: CloudTrail API Reference, DescribeTrails.
func describeTrails(c *request, in *cloudtrail.DescribeTrailsInput) (*cloudtrail.DescribeTrailsOutput, error) {
	shadows := in.IncludeShadowTrails == nil || *in.IncludeShadowTrails
	out := &cloudtrail.DescribeTrailsOutput{}
	for arn, t := range c.trails {
		here := aws.ToString(t.HomeRegion) == c.name
		named := len(in.TrailNameList) == 0 || slices.Contains(in.TrailNameList, arn) || here && slices.Contains(in.TrailNameList, aws.ToString(t.Name))
		if named && (here || shadows && aws.ToBool(t.IsMultiRegionTrail)) {
			shown := t.Trail
			shown.HasCustomEventSelectors = aws.Bool(text(t.basic) != text(everything()))
			out.TrailList = append(out.TrailList, shown)
		}
	}
	return out, nil
}

// getTrailStatus returns a trail's status. It reports a deleted log group or role
// at once; AWS reports it at the next delivery.
func getTrailStatus(c *request, in *cloudtrail.GetTrailStatusInput) (*cloudtrail.GetTrailStatusOutput, error) {
	t, err := c.find(in.Name)
	if err != nil {
		return nil, err
	}
	out := &cloudtrail.GetTrailStatusOutput{IsLogging: aws.Bool(t.logging)}
	if t.failure != "" {
		out.LatestDeliveryError = aws.String(t.failure)
	}
	if key := aws.ToString(t.KmsKeyId); key != "" && t.logging && c.keys[key] != kmstypes.KeyStateEnabled {
		out.LatestDeliveryError = aws.String("KMS.DisabledException") // recorded 2026-09-13 to 2026-09-20
	}
	if t.SnsTopicARN != nil && t.logging && !c.notifies(*t.SnsTopicARN) {
		out.LatestNotificationError = aws.String("AuthorizationError") // recorded 2026-09-20
	}
	if group := t.CloudWatchLogsLogGroupArn; group != nil && t.logging && !c.doubts(trailErrorAtOnce) &&
		(!c.delivers(*group) || !c.mayDeliver(aws.ToString(t.CloudWatchLogsRoleArn), "cloudtrail.amazonaws.com", strings.TrimSuffix(*group, ":*")+":log-stream:events")) {
		t.stale = "Access denied. Verify in IAM that the role has adequate permissions."
		out.LatestCloudWatchLogsDeliveryError = aws.String(t.stale)
	}
	if t.stale != "" && out.LatestCloudWatchLogsDeliveryError == nil && c.doubts(trailErrorGoes) {
		out.LatestCloudWatchLogsDeliveryError = aws.String(t.stale)
	}
	return out, nil
}

// delivers reports whether the log group with an ARN exists.
func (a *Account) delivers(group string) bool {
	arn, err := awsarn.Parse(strings.TrimSuffix(group, ":*"))
	name, ok := strings.CutPrefix(arn.Resource, "log-group:")
	r := a.regions[arn.Region]
	if err != nil || !ok || arn.AccountID != a.ID || r == nil {
		return false
	}
	_, ok = r.groups.now[name]
	return ok
}

// notifies reports whether a topic exists and its policy names CloudTrail.
func (c *request) notifies(arn string) bool {
	t := c.topics[arn]
	if t == nil {
		return false
	}
	var policy struct {
		Statement []json.RawMessage
	}
	return json.Unmarshal([]byte(t.attributes["Policy"]), &policy) == nil && slices.ContainsFunc(policy.Statement, func(st json.RawMessage) bool {
		return strings.Contains(string(st), `"Allow"`) && strings.Contains(string(st), "cloudtrail.amazonaws.com")
	})
}

// topicARN returns the ARN of a topic that a request names by name or ARN.
func (c *request) topicARN(topic *string) *string {
	if name := aws.ToString(topic); name != "" && !strings.HasPrefix(name, "arn:") {
		return aws.String(c.arn("sns", c.name, name))
	}
	return topic
}

// notAssumed is CloudTrail's message about a role that it cannot assume. Sources:
// awslabs/dynamodb-continuous-backup, issue 2; terraform-provider-aws,
// internal/service/cloudtrail/trail.go, which waits for a new role while a message
// begins like this one.
const notAssumed = "Access denied. Check the trust relationships for your role."

// spread brings a new role one call nearer to being known to CloudTrail.
func (c *request) spread(role *string) {
	if left := c.unready[aws.ToString(role)]; left > 0 {
		c.unready[*role] = left - 1
	}
}

// The parts of a trail that destination checks.
type parts struct{ logs, key bool }

// destination returns CloudTrail's error for a trail whose settings it refuses.
// It checks only the given parts of the optional ones, and the topic always.
// Sources: CloudTrail API Reference, CreateTrail, Errors; the codes for a topic,
// a key, and a log group without a role or the reverse, as recorded 2026-09-12
// to 2026-09-20.
func (c *request) destination(t types.Trail, check parts) error {
	group, role, key := aws.ToString(t.CloudWatchLogsLogGroupArn), aws.ToString(t.CloudWatchLogsRoleArn), aws.ToString(t.KmsKeyId)
	_, exists := c.roleByARN(role)
	to, _ := awsarn.Parse(group) // without an ARN, the region is empty
	of, err := awsarn.Parse(key)
	switch {
	case aws.ToString(t.S3BucketName) == "":
		return refuse("InvalidS3BucketNameException", "the bucket is missing")
	case !c.buckets[*t.S3BucketName]:
		return refuse("S3BucketDoesNotExistException", "S3 bucket %s does not exist", *t.S3BucketName)
	case aws.ToBool(t.IsMultiRegionTrail) && !aws.ToBool(t.IncludeGlobalServiceEvents):
		return refuse("InvalidParameterCombinationException", "Multi-Region trail must include global service events")
	case aws.ToBool(t.IsOrganizationTrail) && c.outside:
		return refuse("NotOrganizationMasterAccountException", "the account is not the management account of an organization")
	case t.SnsTopicARN != nil && !c.notifies(*t.SnsTopicARN):
		return refuse("InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!")
	case check.logs && group != "" && role == "":
		return refuse("InvalidCloudWatchLogsRoleArnException", "You must specify both the CloudWatch Logs log group and the role")
	case check.logs && group == "" && role != "":
		return refuse("InvalidCloudWatchLogsLogGroupArnException", "You must specify both the CloudWatch Logs log group and the role")
	case check.logs && group != "" && (!strings.HasSuffix(group, ":*") || to.Region != c.name || !c.delivers(group)):
		return refuse("InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN")
	case check.logs && role != "" && !exists:
		return refuse(doubt(c.Account, goneRoleCode, "InvalidCloudWatchLogsRoleArnException", "InvalidCloudWatchLogsLogGroupArnException"), notAssumed)
	case check.logs && c.unready[role] > 0:
		return refuse("InvalidCloudWatchLogsRoleArnException", "%s", doubt(c.Account, trailRoleText, notAssumed, "The role is not valid"))
	case !check.key || key == "":
		return nil
	case err != nil || of.Region != c.name:
		return refuse("KmsKeyNotFoundException", "the key %s is not one of the region", key)
	case c.keys[key] == "":
		return refuse("InsufficientEncryptionPolicyException", "Insufficient permissions to access S3 bucket or KMS key %s", key)
	case c.keys[key] != kmstypes.KeyStateEnabled:
		return refuse("KmsException", "the key %s is disabled", key)
	}
	return nil
}

// createTrail creates a trail, which does not log until StartLogging.
func createTrail(c *request, in *cloudtrail.CreateTrailInput) (*cloudtrail.CreateTrailOutput, error) {
	name := *in.Name
	arn := c.arn("cloudtrail", c.name, "trail/"+name)
	here := 0
	for _, t := range c.trails {
		if aws.ToBool(t.IsMultiRegionTrail) || aws.ToString(t.HomeRegion) == c.name {
			here++
		}
	}
	switch _, exists := c.trails[arn]; {
	case !trailNames.MatchString(name) || len(name) < 3 || len(name) > 128:
		return nil, refuse("InvalidTrailNameException", "%q is no name for a trail", name)
	case exists:
		return nil, refuse("TrailAlreadyExistsException", "Trail %s already exists", name)
	case here >= trailsPerRegion:
		return nil, refuse("MaximumNumberOfTrailsExceededException", "User: %s already has %d trails", c.ID, here)
	}
	global := in.IncludeGlobalServiceEvents == nil || *in.IncludeGlobalServiceEvents
	t := types.Trail{
		Name: in.Name, TrailARN: aws.String(arn), HomeRegion: aws.String(c.name), S3BucketName: in.S3BucketName, S3KeyPrefix: in.S3KeyPrefix,
		SnsTopicARN: c.topicARN(in.SnsTopicName), KmsKeyId: in.KmsKeyId,
		IsMultiRegionTrail: aws.Bool(aws.ToBool(in.IsMultiRegionTrail)), IsOrganizationTrail: aws.Bool(aws.ToBool(in.IsOrganizationTrail)),
		IncludeGlobalServiceEvents: aws.Bool(global), LogFileValidationEnabled: aws.Bool(aws.ToBool(in.EnableLogFileValidation)),
		CloudWatchLogsLogGroupArn: in.CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: in.CloudWatchLogsRoleArn,
	}
	defer c.spread(t.CloudWatchLogsRoleArn)
	if err := c.destination(t, parts{logs: true, key: true}); err != nil {
		return nil, err
	}
	c.trails[arn] = &trail{Trail: t, basic: everything()}
	c.wrote(name)
	return &cloudtrail.CreateTrailOutput{Name: in.Name, TrailARN: aws.String(arn)}, nil
}

// updateTrail changes a trail. An omitted setting keeps its value and is checked
// again; an empty text removes it. An empty log group or an empty role removes
// both, unless the request names the other one. Sources: CloudTrail User Guide,
// "Updating a trail with the AWS CLI", which changes one setting at a time and
// stops delivery to a log group with two empty texts; recorded 2026-09-13 to
// 2026-09-20.
func updateTrail(c *request, in *cloudtrail.UpdateTrailInput) (*cloudtrail.UpdateTrailOutput, error) {
	t, err := c.mine(in.Name)
	if err != nil {
		return nil, err
	}
	next := t.Trail
	group, role := in.CloudWatchLogsLogGroupArn, in.CloudWatchLogsRoleArn
	if group != nil && role == nil && *group == "" || role != nil && group == nil && *role == "" {
		group, role = aws.String(""), aws.String("")
	}
	for to, from := range map[**string]*string{
		&next.S3BucketName: in.S3BucketName, &next.S3KeyPrefix: in.S3KeyPrefix, &next.SnsTopicARN: c.topicARN(in.SnsTopicName),
		&next.KmsKeyId: in.KmsKeyId, &next.CloudWatchLogsLogGroupArn: group, &next.CloudWatchLogsRoleArn: role,
	} {
		if from != nil {
			*to = from
		}
		if from != nil && *from == "" {
			*to = nil
		}
	}
	for to, from := range map[**bool]*bool{
		&next.IsMultiRegionTrail: in.IsMultiRegionTrail, &next.IncludeGlobalServiceEvents: in.IncludeGlobalServiceEvents,
		&next.LogFileValidationEnabled: in.EnableLogFileValidation, &next.IsOrganizationTrail: in.IsOrganizationTrail,
	} {
		if from != nil {
			*to = from
		}
	}
	defer c.spread(next.CloudWatchLogsRoleArn)
	check := parts{
		logs: group != nil || role != nil || c.destination(next, parts{logs: true}) == nil || !c.doubts(keptPairChecked),
		key:  in.KmsKeyId != nil || c.destination(next, parts{key: true}) == nil || !c.doubts(keptKeyChecked),
	}
	if err := c.destination(next, check); err != nil {
		return nil, err
	}
	t.stale = ""
	t.Trail, t.failure = next, ""
	c.wrote(*t.Name)
	return &cloudtrail.UpdateTrailOutput{Name: t.Name, TrailARN: t.TrailARN}, nil
}

// deleteTrail deletes a trail.
func deleteTrail(c *request, in *cloudtrail.DeleteTrailInput) error {
	t, err := c.mine(in.Name)
	if err != nil {
		return err
	}
	delete(c.trails, *t.TrailARN)
	c.wrote(*t.Name)
	return nil
}

// startLogging makes a trail start recording.
func startLogging(c *request, in *cloudtrail.StartLoggingInput) error {
	return c.setLogging(in.Name, true)
}

// stopLogging makes a trail stop recording.
func stopLogging(c *request, in *cloudtrail.StopLoggingInput) error {
	return c.setLogging(in.Name, false)
}

func (c *request) setLogging(name *string, on bool) error {
	t, err := c.mine(name)
	if err != nil {
		return err
	}
	t.logging = on
	c.wrote(*t.Name)
	return nil
}

// getEventSelectors returns what a trail records, the fields of an advanced
// selector sorted by name (recorded 2026-09-13).
func getEventSelectors(c *request, in *cloudtrail.GetEventSelectorsInput) (*cloudtrail.GetEventSelectorsOutput, error) {
	t, err := c.find(in.TrailName)
	if err != nil {
		return nil, err
	}
	out := &cloudtrail.GetEventSelectorsOutput{TrailARN: t.TrailARN, EventSelectors: t.basic}
	for _, s := range t.advanced {
		s.FieldSelectors = slices.SortedStableFunc(slices.Values(s.FieldSelectors), func(a, b types.AdvancedFieldSelector) int {
			return cmp.Compare(aws.ToString(a.Field), aws.ToString(b.Field))
		})
		out.AdvancedEventSelectors = append(out.AdvancedEventSelectors, s)
	}
	return out, nil
}

// putEventSelectors replaces what a trail records. Source: CloudTrail API
// Reference, PutEventSelectors: one form or the other, five basic selectors at
// most; EventSelector: sources are excluded only from management events;
// CloudTrail User Guide, "Quotas in AWS CloudTrail": 250 data resources in all
// basic selectors of a trail, 500 values in all of its advanced ones.
func putEventSelectors(c *request, in *cloudtrail.PutEventSelectorsInput) (*cloudtrail.PutEventSelectorsOutput, error) {
	t, err := c.mine(in.TrailName)
	if err != nil {
		return nil, err
	}
	const bad = "InvalidEventSelectorsException"
	if (len(in.EventSelectors) > 0) == (len(in.AdvancedEventSelectors) > 0) || len(in.EventSelectors) > 5 {
		return nil, refuse(bad, "one to five basic selectors, or advanced ones")
	}
	resources, values := 0, 0
	for _, s := range in.EventSelectors {
		for _, d := range s.DataResources {
			resources += max(1, len(d.Values))
		}
	}
	for _, s := range in.AdvancedEventSelectors {
		for _, f := range s.FieldSelectors {
			values += len(f.Equals) + len(f.NotEquals) + len(f.StartsWith) + len(f.NotStartsWith) + len(f.EndsWith) + len(f.NotEndsWith)
		}
	}
	if resources > dataResources || values > selectorValues {
		return nil, refuse(bad, "%d data resources, %d values", resources, values)
	}
	for _, s := range in.EventSelectors {
		manages := s.IncludeManagementEvents == nil || *s.IncludeManagementEvents
		if !manages && (len(s.ExcludeManagementEventSources) > 0 || len(s.DataResources) == 0) {
			return nil, refuse(bad, "a selector that selects nothing, or excludes of nothing")
		}
	}
	for _, s := range in.AdvancedEventSelectors {
		if !slices.ContainsFunc(s.FieldSelectors, func(f types.AdvancedFieldSelector) bool {
			return aws.ToString(f.Field) == "eventCategory" && len(f.Equals) == 1
		}) {
			return nil, refuse(bad, "an advanced selector needs one eventCategory")
		}
	}
	t.basic, t.advanced = nil, in.AdvancedEventSelectors
	for _, s := range in.EventSelectors { // as GetEventSelectors returns them
		s.IncludeManagementEvents = aws.Bool(s.IncludeManagementEvents == nil || *s.IncludeManagementEvents)
		s.DataResources = append([]types.DataResource{}, s.DataResources...)
		s.ExcludeManagementEventSources = append([]string{}, s.ExcludeManagementEventSources...)
		if s.ReadWriteType == "" {
			s.ReadWriteType = types.ReadWriteTypeAll
		}
		t.basic = append(t.basic, s)
	}
	c.wrote(*t.Name)
	return &cloudtrail.PutEventSelectorsOutput{TrailARN: t.TrailARN, EventSelectors: t.basic, AdvancedEventSelectors: t.advanced}, nil
}

// AddToHistory adds a record, JSON as CloudTrail writes it, to the event
// history as the latest under its call's name.
func (a *Account) AddToHistory(name, record string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var said struct {
		EventID, EventSource string
		EventTime            time.Time
	}
	_ = json.Unmarshal([]byte(record), &said) // what the record lacks, the event lacks
	a.history = append([]types.Event{{
		EventName: aws.String(name), CloudTrailEvent: aws.String(record),
		EventId: aws.String(said.EventID), EventSource: aws.String(said.EventSource), EventTime: aws.Time(said.EventTime),
	}}, a.history...)
}

// lookupEvents returns the history of a call by its name, the latest first. It
// supports no other lookup. Source: CloudTrail API Reference, LookupEvents.
func lookupEvents(c *request, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
	if len(in.LookupAttributes) != 1 || in.LookupAttributes[0].AttributeKey != types.LookupAttributeKeyEventName {
		return nil, refuse("InvalidLookupAttributesException", "give one attribute, EventName")
	}
	out := &cloudtrail.LookupEventsOutput{}
	if c.doubts(historyAtOnce) {
		return out, nil
	}
	for _, e := range c.history {
		if *e.EventName == aws.ToString(in.LookupAttributes[0].AttributeValue) && (in.StartTime == nil || !e.EventTime.Before(*in.StartTime)) {
			out.Events = append(out.Events, e)
		}
	}
	return out, nil
}

// trailOperations are the operations that this file answers.
var trailOperations = []operation{
	handle(describeTrails),
	handle(getTrailStatus),
	handle(createTrail),
	handle(updateTrail),
	act[cloudtrail.DeleteTrailOutput](deleteTrail),
	act[cloudtrail.StartLoggingOutput](startLogging),
	act[cloudtrail.StopLoggingOutput](stopLogging),
	handle(getEventSelectors),
	handle(putEventSelectors),
	handle(lookupEvents),
}
