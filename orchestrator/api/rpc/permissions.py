"""What each public method asks of a credential. A method that is not listed refuses everyone."""

from dataclasses import dataclass

from orchestrator.domain.company import Principal, Scope
from orchestrator.domain.errors import SCOPE_MISSING, PonteError


@dataclass(frozen=True, slots=True)
class Administrator:
    """The method is the administrator's alone."""


ADMINISTRATOR = Administrator()

REQUIRED: dict[str, Administrator | Scope] = {
    "ponte.v1.CompanyService/CreateCompany": ADMINISTRATOR,
    "ponte.v1.CompanyService/GetCompany": ADMINISTRATOR,
    "ponte.v1.CompanyService/ListCompanies": ADMINISTRATOR,
    "ponte.v1.CompanyService/UpdateCompany": ADMINISTRATOR,
    "ponte.v1.CompanyService/DeleteCompany": ADMINISTRATOR,
    "ponte.v1.KeyService/CreateKey": ADMINISTRATOR,
    "ponte.v1.KeyService/ListKeys": ADMINISTRATOR,
    "ponte.v1.KeyService/RevokeKey": ADMINISTRATOR,
    "ponte.v1.SessionService/CreateSession": Scope.SESSIONS_MANAGE,
    "ponte.v1.SessionService/GetSession": Scope.SESSIONS_READ,
    "ponte.v1.SessionService/ListSessions": Scope.SESSIONS_READ,
    "ponte.v1.SessionService/PairSession": Scope.SESSIONS_MANAGE,
    "ponte.v1.SessionService/GetQr": Scope.SESSIONS_MANAGE,
    "ponte.v1.SessionService/StartSession": Scope.SESSIONS_MANAGE,
    "ponte.v1.SessionService/StopSession": Scope.SESSIONS_MANAGE,
    "ponte.v1.SessionService/LogoutSession": Scope.SESSIONS_MANAGE,
    "ponte.v1.SessionService/DeleteSession": Scope.SESSIONS_MANAGE,
    "ponte.v1.MessageService/SendMessage": Scope.MESSAGES_SEND,
    "ponte.v1.MessageService/GetMessage": Scope.MESSAGES_READ,
    "ponte.v1.MessageService/ListMessages": Scope.MESSAGES_READ,
    "ponte.v1.MessageService/ListMessageReceipts": Scope.MESSAGES_READ,
    "ponte.v1.MessageService/CancelMessage": Scope.MESSAGES_SEND,
    "ponte.v1.MessageService/RetryMessage": Scope.MESSAGES_SEND,
    "ponte.v1.MessageService/RetryMessages": Scope.MESSAGES_SEND,
    "ponte.v1.ContactService/ListContacts": Scope.CONTACTS_READ,
    "ponte.v1.ContactService/CheckContacts": Scope.CONTACTS_READ,
    "ponte.v1.ChatService/MarkRead": Scope.MESSAGES_SEND,
    "ponte.v1.ChatService/ShowActivity": Scope.MESSAGES_SEND,
    "ponte.v1.ChatService/BlockContact": Scope.MESSAGES_SEND,
    "ponte.v1.ChatService/UnblockContact": Scope.MESSAGES_SEND,
    "ponte.v1.ChatService/WatchPresence": Scope.MESSAGES_SEND,
    "ponte.v1.ChannelService/LookUpChannel": Scope.MESSAGES_READ,
    "ponte.v1.ChannelService/FollowChannel": Scope.MESSAGES_SEND,
    "ponte.v1.ChannelService/UnfollowChannel": Scope.MESSAGES_SEND,
    "ponte.v1.PolicyService/GetPolicy": Scope.SESSIONS_READ,
    "ponte.v1.PolicyService/UpdatePolicy": Scope.SESSIONS_MANAGE,
    "ponte.v1.PolicyService/GetHealth": Scope.SESSIONS_READ,
    "ponte.v1.PolicyService/ListAudit": Scope.AUDIT_READ,
    "ponte.v1.PolicyAdminService/RaisePolicy": ADMINISTRATOR,
    "ponte.v1.PolicyAdminService/DeclareMature": ADMINISTRATOR,
    "ponte.v1.SuppressionService/ListSuppressions": Scope.CONTACTS_READ,
    "ponte.v1.SuppressionService/AddSuppressions": Scope.CONTACTS_MANAGE,
    "ponte.v1.SuppressionService/RemoveSuppression": Scope.CONTACTS_MANAGE,
    "ponte.v1.SuppressionService/RecordOptIns": Scope.CONTACTS_MANAGE,
    "ponte.v1.SuppressionService/ListOptIns": Scope.CONTACTS_READ,
    "ponte.v1.EventService/ListEvents": Scope.EVENTS_READ,
    "ponte.v1.EventService/Subscribe": Scope.EVENTS_READ,
    "ponte.v1.MediaService/CreateMedia": Scope.MESSAGES_SEND,
    "ponte.v1.MediaService/GetMedia": Scope.MESSAGES_READ,
    "ponte.v1.MediaService/DeleteMedia": Scope.MESSAGES_SEND,
    "ponte.v1.ImportService/CreateImport": Scope.IMPORTS_MANAGE,
    "ponte.v1.ImportService/RequestOlderMessages": Scope.IMPORTS_MANAGE,
    "ponte.v1.ImportService/GetImport": Scope.IMPORTS_READ,
    "ponte.v1.ImportService/ListImports": Scope.IMPORTS_READ,
    "ponte.v1.ImportService/CancelImport": Scope.IMPORTS_MANAGE,
    "ponte.v1.CampaignService/CreateCampaign": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.CampaignService/GetCampaign": Scope.CAMPAIGNS_READ,
    "ponte.v1.CampaignService/ListCampaigns": Scope.CAMPAIGNS_READ,
    "ponte.v1.CampaignService/UpdateCampaign": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.CampaignService/DeleteCampaign": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.CampaignService/PlanCampaign": Scope.CAMPAIGNS_READ,
    "ponte.v1.CampaignService/StartCampaign": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.CampaignService/PauseCampaign": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.CampaignService/ResumeCampaign": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.CampaignService/CancelCampaign": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.CampaignService/ListCampaignRecipients": Scope.CAMPAIGNS_READ,
    "ponte.v1.CampaignService/GetCampaignResults": Scope.CAMPAIGNS_READ,
    "ponte.v1.RecipientListService/CreateRecipientList": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.RecipientListService/GetRecipientList": Scope.CAMPAIGNS_READ,
    "ponte.v1.RecipientListService/ListRecipientLists": Scope.CAMPAIGNS_READ,
    "ponte.v1.RecipientListService/DeleteRecipientList": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.RecipientListService/ImportRecipients": Scope.CAMPAIGNS_MANAGE,
    "ponte.v1.RecipientListService/GetRecipientImport": Scope.CAMPAIGNS_READ,
    "ponte.v1.RecipientListService/ListRecipientImports": Scope.CAMPAIGNS_READ,
    "ponte.v1.RecipientListService/ListReportedLines": Scope.CAMPAIGNS_READ,
    "ponte.v1.GroupService/CreateGroup": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/ListGroups": Scope.GROUPS_READ,
    "ponte.v1.GroupService/GetGroup": Scope.GROUPS_READ,
    "ponte.v1.GroupService/RefreshGroup": Scope.GROUPS_READ,
    "ponte.v1.GroupService/UpdateGroup": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/SetGroupPicture": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/AddGroupParticipants": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/RemoveGroupParticipants": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/PromoteGroupParticipants": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/DemoteGroupParticipants": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/GetInviteLink": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/RevokeInviteLink": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/ReadInvite": Scope.GROUPS_READ,
    "ponte.v1.GroupService/JoinGroup": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/ListJoinRequests": Scope.GROUPS_READ,
    "ponte.v1.GroupService/ApproveJoinRequests": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/RejectJoinRequests": Scope.GROUPS_MANAGE,
    "ponte.v1.GroupService/LeaveGroup": Scope.GROUPS_MANAGE,
    "ponte.v1.WebhookService/CreateWebhook": Scope.WEBHOOKS_MANAGE,
    "ponte.v1.WebhookService/GetWebhook": Scope.WEBHOOKS_MANAGE,
    "ponte.v1.WebhookService/ListWebhooks": Scope.WEBHOOKS_MANAGE,
    "ponte.v1.WebhookService/UpdateWebhook": Scope.WEBHOOKS_MANAGE,
    "ponte.v1.WebhookService/DeleteWebhook": Scope.WEBHOOKS_MANAGE,
    "ponte.v1.WebhookService/TestWebhook": Scope.WEBHOOKS_MANAGE,
    "ponte.v1.WebhookService/ListDeliveries": Scope.WEBHOOKS_MANAGE,
    "ponte.v1.WebhookService/RedeliverDelivery": Scope.WEBHOOKS_MANAGE,
}
"""GetQr needs `sessions:manage`: who sees the QR can link the number to a phone of his own. So does GetInviteLink
`groups:manage`: who has the link can join."""


def check(principal: Principal, method: str) -> None:
    """Let the principal pass or raise SCOPE_MISSING; `method` as in ponte.v1.MessageService/GetMessage."""
    required = REQUIRED.get(method)
    if required is None:
        raise PonteError(SCOPE_MISSING, "This method is open to nobody.")
    if isinstance(required, Administrator):
        if not principal.is_admin:
            raise PonteError(SCOPE_MISSING, "This method needs the administrator's key.")
        return
    if principal.is_admin:
        raise PonteError(SCOPE_MISSING, "This method works on a company; use a key of the company.")
    if required not in principal.scopes:
        raise PonteError(SCOPE_MISSING, f"The key lacks the scope {required.value}.")
