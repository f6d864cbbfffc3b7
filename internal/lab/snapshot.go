package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/relight-aws/relight/internal/catalog"
)

// A Snapshot is the state of an account's protections as its API shows them.
// Each value is the protection's fields as a JSON list, without fields that
// differ between two equal protections: IDs, times, states. Two snapshots are
// equal if nothing was lost, weakened or added.
type Snapshot map[string]string

// Snapshot reads the account as a principal: every log group except the
// functions' own, the trails, the trail's filters, all alarms and topics, and
// in both regions every VPC's flow logs, those of subnets and network interfaces that
// have some or need some, and all rules, queues and schedules. It also reads the policy of
// the bucket that receives flow logs.
func (who *Customer) Snapshot(ctx context.Context, root Principal) (Snapshot, error) {
	snap, err := who.protections(ctx, root)
	if err == nil {
		err = snap.flowLogBucket(ctx, root.In(Region))
	}
	if err == nil {
		err = snap.roles(ctx, root.In(Region), deliversFlowLogs)
	}
	return snap, err
}

// Snapshot reads the account as a principal. Of roles, it reads all that relight needs there.
func (who *Spoke) Snapshot(ctx context.Context, root Principal) (Snapshot, error) {
	snap, err := who.protections(ctx, root)
	if err == nil {
		err = snap.roles(ctx, root.In(Region), func(r iamtypes.Role) bool { return deliversFlowLogs(r) || ours(r.RoleName) })
	}
	return snap, err
}

func (who *Customer) protections(ctx context.Context, root Principal) (Snapshot, error) {
	snap := Snapshot{}
	for _, region := range []string{Region, SecondRegion} {
		s := root.In(region)
		if err := snap.logGroups(ctx, s); err != nil {
			return nil, err
		}
		if err := snap.flowLogs(ctx, s); err != nil {
			return nil, err
		}
		if err := snap.guard(ctx, s); err != nil {
			return nil, err
		}
	}
	s := root.In(Region)
	if err := snap.trails(ctx, s); err != nil {
		return nil, err
	}
	if who.TrailLogGroup != "" {
		if err := snap.filters(ctx, s, who.TrailLogGroup); err != nil {
			return nil, err
		}
	}
	if err := snap.topics(ctx, s); err != nil {
		return nil, err
	}
	return snap, snap.alarms(ctx, s)
}

// deliversFlowLogs reports whether the description of a role says that VPC flow logs
// deliver with it.
func deliversFlowLogs(r iamtypes.Role) bool {
	return strings.HasPrefix(aws.ToString(r.Description), "VPC flow logs deliver to")
}

// roles reads the wanted roles, and the policies on them.
func (s Snapshot) roles(ctx context.Context, at *Session, wanted func(iamtypes.Role) bool) error {
	var gone *iamtypes.NoSuchEntityException // a role or policy that was deleted between two reads
	pages := iam.NewListRolesPaginator(at.IAM, &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Roles {
			if !wanted(r) {
				continue
			}
			role, err := at.IAM.GetRole(ctx, &iam.GetRoleInput{RoleName: r.RoleName})
			if errors.As(err, &gone) {
				continue
			}
			if err != nil {
				return err
			}
			boundary := ""
			if b := role.Role.PermissionsBoundary; b != nil {
				boundary = aws.ToString(b.PermissionsBoundaryArn)
			}
			owner := "" // other tags stay as they are
			for _, tag := range role.Role.Tags {
				if aws.ToString(tag.Key) == catalog.OwnerTag {
					owner = aws.ToString(tag.Value)
				}
			}
			policies := map[string]string{}
			inline, err := at.IAM.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: r.RoleName})
			if errors.As(err, &gone) {
				continue
			}
			if err != nil {
				return err
			}
			for _, name := range inline.PolicyNames {
				one, err := at.IAM.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: aws.String(name)})
				if err != nil && !errors.As(err, &gone) {
					return err
				}
				if err == nil {
					policies[name] = plainDocument(one.PolicyDocument)
				}
			}
			attached, err := at.IAM.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: r.RoleName})
			if errors.As(err, &gone) {
				continue
			}
			if err != nil {
				return err
			}
			for _, p := range attached.AttachedPolicies {
				policies[aws.ToString(p.PolicyArn)] = "attached"
			}
			s.add("role", aws.ToString(r.RoleName), r.Path, boundary, owner, plainDocument(role.Role.AssumeRolePolicyDocument), policies)
		}
	}
	return nil
}

// plainDocument returns a policy document in one spelling: decoded, with lists
// of one element replaced by that element and other lists sorted.
func plainDocument(document *string) string {
	text := aws.ToString(document)
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	var plain func(any) any
	plain = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				v[k] = plain(e)
			}
		case []any:
			for i := range v {
				v[i] = plain(v[i])
			}
			if len(v) == 1 {
				return v[0]
			}
			slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		return v
	}
	raw, err := json.Marshal(plain(v))
	if err != nil {
		panic(err) // it was JSON a moment ago
	}
	return string(raw)
}

// Diff returns the differences from want, one line each, sorted.
func (s Snapshot) Diff(want Snapshot) []string {
	var diff []string
	for k, v := range want {
		switch got, ok := s[k]; {
		case !ok:
			diff = append(diff, "missing: "+k)
		case got != v:
			diff = append(diff, "changed: "+k+": "+got+", want "+v)
		}
	}
	for k := range s {
		if _, ok := want[k]; !ok {
			diff = append(diff, "added: "+k)
		}
	}
	slices.Sort(diff)
	return diff
}

// noFlowLogs is the entry of a VPC without flow logs.
const noFlowLogs = `[""]`

// oneMore returns the entry of a VPC that has one more flow log.
func oneMore(entry, line string) string {
	var fields []string
	if err := json.Unmarshal([]byte(entry), &fields); err != nil {
		panic(err) // the entry comes from a snapshot
	}
	lines := append(strings.Split(fields[0], "; "), line)
	slices.Sort(lines)
	s := Snapshot{}
	s.add("", "", strings.Join(lines, "; "))
	return s[" "]
}

func (s Snapshot) add(sort, name string, fields ...any) {
	raw, err := json.Marshal(fields)
	if err != nil {
		panic(err) // SDK fields always marshal
	}
	s[sort+" "+name] = string(raw)
}

func (s Snapshot) logGroups(ctx context.Context, at *Session) error {
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(at.Logs, &cloudwatchlogs.DescribeLogGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, g := range page.LogGroups {
			if name := aws.ToString(g.LogGroupName); !strings.HasPrefix(name, "/aws/lambda/") || g.RetentionInDays != nil { // the emulator makes some of them itself
				s.add("log-group", at.Region+" "+name, aws.ToInt32(g.RetentionInDays), g.LogGroupClass, g.KmsKeyId, aws.ToBool(g.DeletionProtectionEnabled))
			}
		}
	}
	return nil
}

// trails adds every trail of a region, whether it logs and what it records.
func (s Snapshot) trails(ctx context.Context, at *Session) error {
	out, err := at.CloudTrail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(false)})
	if err != nil {
		return err
	}
	for _, t := range out.TrailList {
		status, err := at.CloudTrail.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: t.TrailARN})
		gone := new(cloudtrailtypes.TrailNotFoundException)
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return err
		}
		selectors, err := at.CloudTrail.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: t.TrailARN})
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return err
		}
		s.add("trail", aws.ToString(t.TrailARN), t.S3BucketName, aws.ToString(t.S3KeyPrefix), aws.ToString(t.SnsTopicARN), aws.ToString(t.KmsKeyId),
			aws.ToString(t.CloudWatchLogsLogGroupArn), aws.ToString(t.CloudWatchLogsRoleArn), t.HomeRegion, t.IsMultiRegionTrail,
			t.IncludeGlobalServiceEvents, t.LogFileValidationEnabled, aws.ToBool(t.IsOrganizationTrail), status.IsLogging)
		s.add("trail-selectors", aws.ToString(t.TrailARN), selectors.EventSelectors, selectors.AdvancedEventSelectors)
	}
	return nil
}

// protected sets whether a log group of a snapshot is protected from deletion.
func (s Snapshot) protected(region, group string, on bool) {
	key := "log-group " + region + " " + group
	if was, ok := s[key]; ok {
		s[key] = was[:strings.LastIndex(was, ",")+1] + strconv.FormatBool(on) + "]"
	}
}

func (s Snapshot) filters(ctx context.Context, at *Session, group string) error {
	pages := cloudwatchlogs.NewDescribeMetricFiltersPaginator(at.Logs, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: aws.String(group)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if isMissing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, f := range page.MetricFilters {
			s.add("filter", aws.ToString(f.FilterName), f.FilterPattern, f.MetricTransformations,
				f.ApplyOnTransformedLogs, f.FieldSelectionCriteria, f.EmitSystemFieldDimensions)
		}
	}
	return nil
}

func (s Snapshot) alarms(ctx context.Context, at *Session) error {
	pages := cloudwatch.NewDescribeAlarmsPaginator(at.CloudWatch, &cloudwatch.DescribeAlarmsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, a := range page.MetricAlarms {
			s.add("alarm", aws.ToString(a.AlarmName), a.Namespace, a.MetricName, a.Dimensions, a.Statistic, a.ExtendedStatistic, a.Period,
				a.ComparisonOperator, a.Threshold, a.EvaluationPeriods, a.DatapointsToAlarm, a.TreatMissingData, a.Unit,
				a.ActionsEnabled, a.AlarmActions, a.OKActions, a.InsufficientDataActions, a.Metrics)
		}
	}
	return nil
}

// topics reads every topic: its policy, its key, its subscribers and their
// filter policies. It ignores whether an owner has confirmed a subscription,
// because only the owner can do that.
func (s Snapshot) topics(ctx context.Context, at *Session) error {
	pages := sns.NewListTopicsPaginator(at.SNS, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, t := range page.Topics {
			if err := s.topic(ctx, at, t.TopicArn); err != nil && !isMissing(err) {
				return err
			}
		}
	}
	return nil
}

func (s Snapshot) topic(ctx context.Context, at *Session, arn *string) error {
	out, err := at.SNS.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: arn})
	if isClosed(err) {
		s.add("topic", aws.ToString(arn), "closed to its owner")
		return nil
	}
	if err != nil {
		return err
	}
	var policy struct{ Statement []map[string]any }
	if err := json.Unmarshal([]byte(out.Attributes["Policy"]), &policy); err != nil && out.Attributes["Policy"] != "" {
		return fmt.Errorf("read policy of %s: %w", aws.ToString(arn), err)
	}
	var statements, subscribers []string
	for _, st := range policy.Statement {
		raw, err := json.Marshal(st)
		if err != nil {
			return err
		}
		statements = append(statements, string(raw))
	}
	subs := sns.NewListSubscriptionsByTopicPaginator(at.SNS, &sns.ListSubscriptionsByTopicInput{TopicArn: arn})
	for subs.HasMorePages() {
		page, err := subs.NextPage(ctx)
		if isClosed(err) {
			subscribers = append(subscribers, "closed to its owner")
			break
		}
		if err != nil {
			return err
		}
		for _, sub := range page.Subscriptions {
			line := aws.ToString(sub.Protocol) + " " + aws.ToString(sub.Endpoint)
			if strings.HasPrefix(aws.ToString(sub.SubscriptionArn), "arn:") {
				got, err := at.SNS.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn})
				if err != nil {
					return err
				}
				if filter := got.Attributes["FilterPolicy"]; filter != "{}" {
					line += " " + filter
				}
			}
			subscribers = append(subscribers, strings.TrimSpace(line))
		}
	}
	slices.Sort(statements)
	slices.Sort(subscribers)
	key, err := keyState(ctx, at, out.Attributes["KmsMasterKeyId"])
	if err != nil {
		return err
	}
	s.add("topic", aws.ToString(arn), statements, out.Attributes["KmsMasterKeyId"], key, subscribers)
	return nil
}

// keyState returns the state of a key, or "" for no key.
func keyState(ctx context.Context, at *Session, key string) (kmstypes.KeyState, error) {
	if key == "" {
		return "", nil
	}
	out, err := at.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(key)})
	if err != nil {
		return "", err
	}
	return out.KeyMetadata.KeyState, nil
}

func (s Snapshot) flowLogs(ctx context.Context, at *Session) error {
	vpcs := ec2.NewDescribeVpcsPaginator(at.EC2, &ec2.DescribeVpcsInput{})
	on := map[string][]string{} // by what they are on
	chosen, err := chosenIDs(ctx, at)
	if err != nil {
		return err
	}
	for _, id := range chosen {
		on[id] = nil
	}
	for vpcs.HasMorePages() {
		page, err := vpcs.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, v := range page.Vpcs {
			on[aws.ToString(v.VpcId)] = nil
		}
	}
	logs := ec2.NewDescribeFlowLogsPaginator(at.EC2, &ec2.DescribeFlowLogsInput{})
	for logs.HasMorePages() {
		page, err := logs.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, fl := range page.FlowLogs {
			id := aws.ToString(fl.ResourceId)
			on[id] = append(on[id], flowLogLine(fl))
		}
	}
	for id, lines := range on {
		slices.Sort(lines)
		s.add("flow-logs", at.Region+" "+id, strings.Join(lines, "; "))
	}
	return nil
}

func flowLogLine(fl ec2types.FlowLog) string {
	files := ""
	if o := fl.DestinationOptions; o != nil {
		files = fmt.Sprint(" ", o.FileFormat, " ", aws.ToBool(o.HiveCompatiblePartitions), " ", aws.ToBool(o.PerHourPartition))
	}
	return fmt.Sprint(fl.TrafficType, " ", aws.ToString(fl.LogGroupName), aws.ToString(fl.LogDestination), " ", aws.ToString(fl.LogFormat), " ",
		aws.ToInt32(fl.MaxAggregationInterval), " ", aws.ToString(fl.DeliverLogsPermissionArn), files)
}

// isClosed reports whether a topic's policy denies the call.
func isClosed(err error) bool {
	var closed *snstypes.AuthorizationErrorException
	return errors.As(err, &closed)
}

func isMissing(err error) bool {
	var missing *logtypes.ResourceNotFoundException
	var notFound *snstypes.NotFoundException
	return errors.As(err, &missing) || errors.As(err, &notFound)
}
