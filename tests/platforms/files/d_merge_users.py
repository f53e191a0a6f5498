import boto3

cognito = boto3.client("cognito-idp")


def handler(event, context):
    if event["triggerSource"] != "PreSignUp_ExternalProvider":
        return event
    email = event["request"]["userAttributes"]["email"].replace('"', "")
    found = cognito.list_users(UserPoolId=event["userPoolId"], Filter=f'email = "{email}"')["Users"]
    if found:
        provider, _, user = event["userName"].partition("_")
        cognito.admin_link_provider_for_user(
            UserPoolId=event["userPoolId"],
            DestinationUser={"ProviderName": "Cognito", "ProviderAttributeValue": found[0]["Username"]},
            SourceUser={"ProviderName": provider, "ProviderAttributeName": "Cognito_Subject", "ProviderAttributeValue": user},
        )
    event["response"]["autoConfirmUser"] = True
    return event
